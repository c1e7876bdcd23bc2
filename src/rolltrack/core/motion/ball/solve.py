"""The motion of a ball that explains its readings best: gravity's direction as a spline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded

from rolltrack.core.motion.ball.model import BallModel, predict
from rolltrack.core.motion.batch import Constants
from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.motion.noise import box, colour_of, measure_rate
from rolltrack.core.motion.spline import ORDER, Basis
from rolltrack.core.motion.steady import process_row, process_weight, solve_phase

if TYPE_CHECKING:
    from rolltrack.core.motion.ball.model import BallReadings
    from rolltrack.core.sample import FloatArray

_KNOT_S = 0.025
_SINGER_S = 0.3
_START_SD = 0.05
_START_CHANGE = 10.0
_FIRST_NOISE_MPS2 = 0.2
_FIRST_RATE_RADPS = 0.01
_QUIETEST_MPS2 = 0.02
_UNIT_SD = 0.002
"""How exactly u keeps its length."""
_WINDOW_S = 1.5
_HUBER = 4.0
_CLIP = 4.0
_SLOW, _LIVELY = 0.3, 0.7
_WIDE = 3 * ORDER
_MEMORY = 23.0
_LARGEST_STEP, _SMALLEST_STEP = 0.5, 1e-4
_LEAST_VARIANCE = 1e-8
"""What is left of a variance where probing has rounded it away."""


@dataclass(frozen=True, slots=True, eq=False)
class BallEstimate:
    """The answer.

    Attributes:
        model: the motion at the readings.
        speed_sd: (N,) standard deviation of |u'|.
        noise_mps2: (N,) what the force was weighted with.
        constants: what is known about the constants now.
    """

    model: BallModel
    speed_sd: FloatArray
    noise_mps2: FloatArray
    constants: Constants


def prior(*, gyroscope: bool) -> Constants:
    """Before anything was measured: bias 40 mg, sensor near the middle of the ball."""
    sd = [0.4] * 3 + [0.01] * 3 + ([0.05] * 3 + [0.015] * 3 if gyroscope else [])
    return Constants(np.zeros(len(sd)), np.diag(np.array(sd) ** -2.0))


@dataclass(slots=True)
class _Levels:
    """Noise at the N readings: of the force, of the angular rate; and liveliness (intervals,)."""

    force_mps2: FloatArray
    rate_radps: FloatArray
    weight: FloatArray


def estimate_ball(
    t_s: FloatArray, readings: BallReadings, known: Constants, steps: int
) -> BallEstimate:
    """Maximum a posteriori over a stretch without gaps, by Gauss-Newton from a linear start.

    Raises:
        numpy.linalg.LinAlgError: the readings contradict the model so badly that no step can be
        taken.
    """
    basis = Basis.at(t_s, float(t_s[0]), _KNOT_S)
    k_s2 = readings.radius_m / G_MPS2
    loose = np.full(basis.intervals, basis.spacing_s * _SINGER_S / (2 * _START_CHANGE**2))
    sd = np.full(len(t_s), _START_SD)
    pointing = (readings.force_mps2 - known.mean[:3]) / G_MPS2
    c = np.stack(
        [solve_phase(basis, pointing[:, axis], sd, k_s2, _SINGER_S, loose) for axis in range(3)],
        axis=1,
    )
    levels = _Levels(
        np.full(len(t_s), _FIRST_NOISE_MPS2), np.full(len(t_s), _FIRST_RATE_RADPS), loose
    )
    q = known.mean.copy()
    model = predict(basis, c, q, readings)
    for done in range(steps):
        if done in (1, 2):
            levels = _measure(basis, t_s, model, readings)
        system = _System.of(basis, c, model, levels, readings)
        step = system.solve(known, q)
        share = min(1.0, _LARGEST_STEP / max(float(np.abs(step.c).max()), _SMALLEST_STEP))
        c, q = c + share * step.c, q + share * step.q
        model = predict(basis, c, q, readings)
        if done > 2 and float(np.abs(step.c).max()) < _SMALLEST_STEP:  # noqa: PLR2004 - levels are settled
            break
    sd_speed = _speed_sd(basis, model, step, float(np.sqrt(k_s2)))
    return BallEstimate(model, sd_speed, levels.force_mps2, Constants(q, step.precision))


def _measure(basis: Basis, t_s: FloatArray, model: BallModel, readings: BallReadings) -> _Levels:
    """Noise from the residual along u, which the motion cannot absorb; liveliness from u''."""
    period_s = readings.period_s
    width = round(_WINDOW_S / period_s)
    radial = np.einsum("ni,ni->n", model.residual[:, :3], model.up)
    power = np.minimum(radial**2, _CLIP**2 * float(np.median(radial**2)) + 0.05**2)
    force_sd = np.sqrt(box(power, width) + _QUIETEST_MPS2**2)
    force_sd = force_sd * colour_of(radial / force_sd, period_s)
    rate_sd = np.full(len(t_s), _FIRST_RATE_RADPS)
    if readings.rate_radps is not None:
        rate_sd = measure_rate(np.linalg.norm(model.residual[:, 4:], axis=1) / np.sqrt(2), period_s)
    change = np.einsum("ni,ni->n", model.change, model.change) / 2
    turn = np.einsum("ni,ni->n", model.turn, model.turn)
    lively = np.sqrt(1.5 * box(change, width) + (_SLOW + _LIVELY * np.sqrt(box(turn, width))) ** 2)
    return _Levels(force_sd, rate_sd, process_weight(basis, t_s, lively, _SINGER_S))


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A Gauss-Newton step and what tells how certain it is."""

    c: FloatArray
    q: FloatArray
    factor: FloatArray
    border: FloatArray
    precision: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _System:
    """Banded in the spline's coefficients (x, y, z of each in turn), bordered by the constants."""

    band: FloatArray
    border: FloatArray
    pull: FloatArray
    constants: FloatArray
    constants_pull: FloatArray

    @classmethod
    def of(
        cls,
        basis: Basis,
        c: FloatArray,
        model: BallModel,
        levels: _Levels,
        readings: BallReadings,
    ) -> _System:
        rows, nc = model.residual.shape[1], readings.constants
        root = np.empty((len(model.up), rows))
        size = np.linalg.norm(model.residual[:, :3], axis=1) / levels.force_mps2
        robust = np.sqrt(np.minimum(1.0, _HUBER / np.maximum(size, _HUBER)))
        root[:, :3] = (robust / levels.force_mps2)[:, None]
        root[:, 3] = 1.0 / _UNIT_SD
        if readings.rate_radps is not None:
            root[:, 4:] = 1.0 / levels.rate_radps[:, None]
        by = model.by_motion * root[:, :, None]
        spline = np.concatenate(
            [
                by[:, :, :3] * basis.value[a][:, None, None]
                + by[:, :, 3:6] * basis.slope[a][:, None, None]
                + by[:, :, 6:] * basis.bend[a][:, None, None]
                for a in range(ORDER)
            ],
            axis=2,
        )
        sides = np.concatenate(
            [model.by_constants * root[:, :, None], (model.residual * root)[:, :, None]], axis=2
        )
        both = np.concatenate([spline, sides], axis=2)
        products = np.matmul(spline.transpose(0, 2, 1), both)
        sums = basis.per_interval(products.reshape(len(products), -1).T)
        sums = sums.reshape(_WIDE, _WIDE + nc + 1, basis.intervals)
        flat = sides.reshape(-1, nc + 1)
        gram = flat.T @ flat
        row = process_row(basis.spacing_s, _SINGER_S)
        n, m = basis.coefficients, basis.intervals
        surprise = sum(row[a] * c[a : a + m] for a in range(ORDER))
        band, border, pull = np.zeros((_WIDE, 3 * n)), np.zeros((3 * n, nc)), np.zeros(3 * n)
        for a in range(_WIDE):
            at = slice(a, a + 3 * m - 2, 3)
            band[: _WIDE - a, at] += sums[a, a:_WIDE]
            band[: _WIDE - a : 3, at] += np.outer(row[a // 3] * row[a // 3 :], levels.weight)
            border[at] += sums[a, _WIDE:-1].T
            pull[at] += sums[a, -1] - row[a // 3] * levels.weight * surprise[:, a % 3]
        return cls(band, border, pull, gram[:nc, :nc], gram[:nc, nc])

    def solve(self, known: Constants, q: FloatArray) -> _Step:
        factor = cholesky_banded(self.band, lower=True, overwrite_ab=True, check_finite=False)
        columns = np.column_stack([self.pull, self.border])
        answers = cho_solve_banded((factor, True), columns, check_finite=False)
        free, border = answers[:, 0], answers[:, 1:]
        precision = self.constants + known.precision - self.border.T @ border
        pull = self.constants_pull + known.precision @ (known.mean - q) - self.border.T @ free
        step = np.linalg.solve(precision, pull)
        c = (free - border @ step).reshape(-1, 3)
        return _Step(c, np.asarray(step), factor, np.asarray(border), precision)


def _speed_sd(basis: Basis, model: BallModel, step: _Step, tau_s: float) -> FloatArray:
    """(N,) standard deviation of u' along itself; the band's inverse by probing, as for rollers."""
    count = basis.coefficients
    width = min(count, max(4 * ORDER, int(_MEMORY * tau_s / basis.spacing_s)))
    probe = np.zeros((3 * count, 3 * width))
    index = np.arange(3 * count)
    probe[index, index % (3 * width)] = 1.0
    columns = cho_solve_banded((step.factor, True), probe, overwrite_b=True, check_finite=False)
    start = 3 * np.arange(basis.intervals)
    each = start + np.arange(_WIDE)[:, None]
    local = columns[each[:, None], each[None] % (3 * width)]
    size = np.linalg.norm(model.turn, axis=1)
    along = model.turn / np.maximum(size, 1e-9)[:, None]
    row = (basis.slope[:, None, :] * along.T[None]).reshape(_WIDE, -1)
    variance = np.einsum("an,abn,bn->n", row, local[:, :, basis.interval], row)
    active = np.stack([step.border[3 * basis.interval + a] for a in range(_WIDE)])
    through = np.einsum("an,ank->nk", row, active)
    variance += np.einsum("nk,kl,nl->n", through, np.linalg.inv(step.precision), through)
    return np.asarray(np.sqrt(np.maximum(variance, _LEAST_VARIANCE)))
