"""The accelerometer's bias and lever arm, from what gravity's turning cannot explain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.sample import FloatArray, zeros

if TYPE_CHECKING:
    from rolltrack.core.motion.no_slip import Turning
    from rolltrack.core.motion.phase import ComplexArray

_BIAS_SD_MPS2 = 0.4
_LEVER_SD_M = 0.05
_RESIDUAL_SD_MPS2 = 0.15
_COLOUR_S = 0.05
"""Vibration is coloured: residuals closer in time than this count as one."""
_LEVER_FROM_RADPS = 0.5
"""Slower than this, the lever arm's force drowns in noise and would be learnt wrongly."""


def lever_factor(turning: Turning) -> ComplexArray:
    """(n,) what turns a lever arm in the plane into its specific force: -(w^2 + i w')."""
    factor: ComplexArray = np.empty(len(turning.rate_radps), dtype=np.complex128)
    factor.real = -(turning.rate_radps**2)
    factor.imag = -turning.rate_change_radps2
    return factor


@dataclass(slots=True)
class RadialFit:
    """Normal equations of a linear fit, summed over a session, in the sensor's three axes.

    Along gravity's direction u the sensor reads g + b.u + (-(w^2 + i w') p).u for a bias b and a
    lever arm p from the axle. Both are constant in the sensor's axes and u is not, so some arc of
    turning separates them from g and from each other.
    """

    matrix: FloatArray = field(default_factory=lambda: zeros(6, 6))
    load: FloatArray = field(default_factory=lambda: zeros(6))

    def learn(
        self,
        up: ComplexArray,
        residual_mps2: FloatArray,
        turning: Turning,
        plane: FloatArray,
        period_s: float,
    ) -> None:
        """Add n readings.

        Args:
            up: (n,) gravity's direction u in the plane.
            residual_mps2: (n,) measured specific force along u, less g.
            turning: how the roller turned.
            plane: (3, 2) the plane across the axle.
            period_s: sampling period.
        """
        if not len(up):
            return
        lever = lever_factor(turning) * up.conj()
        if float(np.mean(turning.rate_radps**2)) < _LEVER_FROM_RADPS**2:
            lever = np.zeros_like(lever)
        rows = np.hstack(
            [
                np.column_stack([up.real, up.imag]) @ plane.T,
                np.column_stack([lever.real, -lever.imag]) @ plane.T,
            ]
        )
        # A stretch the model explains badly (an axle not well known yet, a shove) has little say.
        variance = _RESIDUAL_SD_MPS2**2 + float(np.mean(residual_mps2**2))
        weight = min(1.0, period_s / _COLOUR_S) / variance
        self.matrix += weight * (rows.T @ rows)
        self.load += weight * (rows.T @ residual_mps2)

    def constants(self, plane: FloatArray) -> tuple[complex, complex]:
        """Bias in m/s2 and lever arm in m, in the plane; zero until something was learnt.

        What points along the axle cannot be seen in the plane and is left out of the fit.
        """
        across = np.zeros((6, 4))
        across[:3, :2] = across[3:, 2:] = plane
        prior = np.repeat([_BIAS_SD_MPS2**-2, _LEVER_SD_M**-2], 2)
        matrix = across.T @ self.matrix @ across + np.diag(prior)
        found = np.linalg.solve(matrix, across.T @ self.load)
        return complex(found[0], found[1]), complex(found[2], found[3])
