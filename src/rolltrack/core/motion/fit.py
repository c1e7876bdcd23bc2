"""Gauss-Newton steps of a window, from where the last ones ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.batch import huber_weight
from rolltrack.core.motion.bordered import Solved, solve
from rolltrack.core.motion.lever import radial_lever_columns
from rolltrack.core.motion.normal import ACCEL_CONSTANTS, accumulate, assemble, predict
from rolltrack.core.motion.prior import within

if TYPE_CHECKING:
    from rolltrack.core.motion.noise import Noise
    from rolltrack.core.motion.normal import Bordered, Predicted, Readings
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.motion.prior import Prior
    from rolltrack.core.motion.spline import Basis
    from rolltrack.core.sample import FloatArray

_MOST_STEPS = 3
_CLOSE_RAD = 0.02
"""No coefficient moved further in the last step: near enough, as the next hop takes another."""
_LARGEST_STEP_RAD = 1.5
MOST_SURPRISE = 16.0
"""A knock is much worse than this, but brief; a window astray surprises for long."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Where the steps ended.

    Attributes:
        c: (n,) coefficients.
        q: (nc,) constants.
        process: (intervals,) weight of the process prior.
        model: the model before the last step.
        system: its normal equations, the prior included.
        solved: the last step.
    """

    c: FloatArray
    q: FloatArray
    process: FloatArray
    model: Predicted
    system: Bordered
    solved: Solved


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be fitted.

    Attributes:
        basis: the spline's basis at the N readings.
        readings: what was measured.
        noise: levels at the readings.
        row: (4,) row of the process prior.
        prior: what has left the window.
        widest: (nc,) standard deviations of the constants of sensors at large.
    """

    basis: Basis
    readings: Readings
    noise: Noise
    row: FloatArray
    prior: Prior
    widest: FloatArray

    def fit(self, c: FloatArray, q: FloatArray, model: Predicted, process: FloatArray) -> Fit:
        """Take steps from coefficients c (n,) and constants q (nc,), and the model there.

        Raises:
            numpy.linalg.LinAlgError: the readings leave the motion open.
        """
        steps = 0
        while True:
            system = self._system(model, c, q, process)
            solved = solve(system)
            steps += 1
            largest = float(np.max(np.abs(solved.step)))
            share = min(1.0, _LARGEST_STEP_RAD / max(largest, 1e-12))
            c = c + share * solved.step
            q = within(q + share * solved.constants_step, self.widest)
            if largest < _CLOSE_RAD or steps == _MOST_STEPS:
                return Fit(c, q, process, model, system, solved)
            model = predict(self.basis, c, q, self.readings)

    def _system(
        self, model: Predicted, c: FloatArray, q: FloatArray, process: FloatArray
    ) -> Bordered:
        readings = self.readings
        weight = huber_weight(model, self.noise.sd_mps2) * readings.trusted
        normal = accumulate(
            self.basis,
            readings,
            model,
            weight,
            rate_correction(q),
            radial_lever_columns(model, readings.period_s),
        )
        return self.prior.added_to(assemble(normal, c, self.row, process), c, q)


def rate_correction(q: FloatArray) -> tuple[float, float] | None:
    """Bias and scale error of the gyroscope among the constants q (nc,), None without one."""
    return (float(q[-2]), float(q[-1])) if len(q) > ACCEL_CONSTANTS else None


def surprise(residual: ComplexArray, noise_sd_mps2: FloatArray) -> FloatArray:
    """(N,) squared residual in variances, as far as it counts."""
    return np.minimum((np.abs(residual) / noise_sd_mps2) ** 2, MOST_SURPRISE)
