"""The motion of a ball that explains its readings best: gravity's direction as a spline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.ball.model import BallModel, predict
from rolltrack.core.motion.batch import Constants, with_constants
from rolltrack.core.motion.bordered import Solved, solve, solve_band
from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.motion.noise import box, colour_of, measure_rate
from rolltrack.core.motion.normal import Bordered
from rolltrack.core.motion.short import dots, median
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
_BELOW = np.arange(_WIDE)
_COLUMN = _BELOW[:, np.newaxis]
_BANDED = _COLUMN + _BELOW < _WIDE
_PARTNER = np.minimum(_COLUMN + _BELOW, _WIDE - 1)
"""(12, 12) which row stands so far below the diagonal in a column, where there is one."""
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
        solved = solve(with_constants(_system(basis, c, model, levels), q, known))
        largest = float(np.abs(solved.step).max())
        share = min(1.0, _LARGEST_STEP / max(largest, _SMALLEST_STEP))
        c, q = c + share * solved.step.reshape(-1, 3), q + share * solved.constants_step
        model = predict(basis, c, q, readings)
        if done > 2 and largest < _SMALLEST_STEP:  # noqa: PLR2004 - levels are settled
            break
    sd_speed = _speed_sd(basis, model, solved, float(np.sqrt(k_s2)))
    constants = Constants(q, solved.constants_precision)
    return BallEstimate(model, sd_speed, levels.force_mps2, constants)


def _measure(basis: Basis, t_s: FloatArray, model: BallModel, readings: BallReadings) -> _Levels:
    """Noise from the residual along u, which the motion cannot absorb; liveliness from u''."""
    period_s = readings.period_s
    width = round(_WINDOW_S / period_s)
    radial = dots(model.residual[:3], model.up)
    power = np.minimum(radial**2, _CLIP**2 * median(radial**2) + 0.05**2)
    force_sd = np.sqrt(box(power, width) + _QUIETEST_MPS2**2)
    force_sd = force_sd * colour_of(radial / force_sd, period_s)
    rate_sd = np.full(len(t_s), _FIRST_RATE_RADPS)
    if readings.rate_radps is not None:
        apart = model.residual[4:]
        rate_sd = measure_rate(np.sqrt(dots(apart, apart) / 2), period_s)
    change, turn = dots(model.change, model.change) / 2, dots(model.turn, model.turn)
    lively = np.sqrt(1.5 * box(change, width) + (_SLOW + _LIVELY * np.sqrt(box(turn, width))) ** 2)
    return _Levels(force_sd, rate_sd, process_weight(basis, t_s, lively, _SINGER_S))


def _system(basis: Basis, c: FloatArray, model: BallModel, levels: _Levels) -> Bordered:
    """Normal equations: x, y, z of each of the spline's coefficients in turn."""
    wide = _weighted(basis, model, levels)
    products = np.matmul(wide[:, :, :_WIDE].transpose(0, 2, 1), wide)
    # Along the first axis whole rows are added, which is much faster than along the last.
    sums = basis.per_interval_first(products)
    # Each interval's part of the band: (m, column, how far below the diagonal).
    local = sums[:, _COLUMN, _PARTNER] * _BANDED
    flat = wide[:, :, _WIDE:].reshape(-1, wide.shape[2] - _WIDE)
    gram = flat.T @ flat
    row = np.repeat(process_row(basis.spacing_s, _SINGER_S), 3)
    n, m, nc = basis.coefficients, basis.intervals, len(gram) - 1
    prior = row[:, None] * row[_PARTNER] * (_BANDED & (_BELOW % 3 == 0))
    local += levels.weight[:, None, None] * prior
    sides = sums[:, :, _WIDE:]
    expected = sum(row[3 * a] * c[a : a + m] for a in range(ORDER)) * levels.weight[:, None]
    sides[:, :, -1] -= row * np.tile(expected, ORDER)
    band, border = np.zeros((n, 3, _WIDE)), np.zeros((n, 3, nc + 1))
    for a in range(ORDER):
        band[a : a + m] += local[:, 3 * a : 3 * a + 3]
        border[a : a + m] += sides[:, 3 * a : 3 * a + 3]
    lower, flat = band.reshape(3 * n, _WIDE).T, border.reshape(3 * n, -1)
    return Bordered(lower, flat[:, :-1], flat[:, -1], gram[:nc, :nc], gram[:nc, nc])


def _weighted(basis: Basis, model: BallModel, levels: _Levels) -> FloatArray:
    """(N, rows, 12 + nc + 1) derivatives by coefficients and constants, and residuals.

    All over their standard deviations.
    """
    rows, nc, n = model.by_constants.shape
    root = np.empty((rows, n))
    off = model.residual[:3]
    size = np.sqrt(dots(off, off)) / levels.force_mps2
    robust = np.sqrt(np.minimum(1.0, _HUBER / np.maximum(size, _HUBER)))
    root[:3] = robust / levels.force_mps2
    root[3] = 1.0 / _UNIT_SD
    root[4:] = 1.0 / levels.rate_radps
    wide = np.empty((rows, _WIDE + nc + 1, n))
    spline = wide[:, :_WIDE].reshape(rows, ORDER, 3, n)
    by = (root[:, None] * model.by_motion)[:, :, None]
    functions = basis.functions[:, None, :, None]
    np.multiply(by[0], functions[0], out=spline)
    spline += by[1] * functions[1]
    spline += by[2] * functions[2]
    np.multiply(root[:, None], model.by_constants, out=wide[:, _WIDE:-1])
    np.multiply(root, model.residual, out=wide[:, -1])
    return np.ascontiguousarray(wide.transpose(2, 0, 1))


def _speed_sd(basis: Basis, model: BallModel, solved: Solved, tau_s: float) -> FloatArray:
    """(N,) standard deviation of u' along itself; the band's inverse by probing, as for rollers."""
    count = basis.coefficients
    width = min(count, max(4 * ORDER, int(_MEMORY * tau_s / basis.spacing_s)))
    probe = np.zeros((3 * count, 3 * width), order="F")
    index = np.arange(3 * count)
    probe[index, index % (3 * width)] = 1.0
    columns = solve_band(solved.factor, probe)
    start = 3 * np.arange(basis.intervals)
    each = start + np.arange(_WIDE)[:, None]
    local = columns[each[:, None], each[None] % (3 * width)]
    size = np.sqrt(dots(model.turn, model.turn))
    along = model.turn / np.maximum(size, 1e-9)
    row = (basis.slope[:, None] * along).reshape(_WIDE, -1)
    variance = np.einsum("an,abn,bn->n", row, local[:, :, basis.interval], row)
    active = solved.border[each[:, basis.interval]]
    through = np.einsum("an,ank->nk", row, active)
    covariance = np.linalg.inv(solved.constants_precision)
    variance += np.einsum("nk,kl,nl->n", through, covariance, through)
    return np.asarray(np.sqrt(np.maximum(variance, _LEAST_VARIANCE)))
