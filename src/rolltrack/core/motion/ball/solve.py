"""The motion of a ball that explains its readings best: gravity's direction as a spline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.ball.model import BallModel, predict
from rolltrack.core.motion.batch import Constants, with_constants
from rolltrack.core.motion.bordered import Solved, solve, solve_band
from rolltrack.core.motion.constants import G_MPS2, no_slip_time_s
from rolltrack.core.motion.noise import box, colour_of, lengthened, measure_rate
from rolltrack.core.motion.normal import Bordered
from rolltrack.core.motion.short import dots, median
from rolltrack.core.motion.spline import ORDER, Basis
from rolltrack.core.motion.steady import process_row, process_weight, prolonged, solve_phase

if TYPE_CHECKING:
    from rolltrack.core.motion.ball.model import BallReadings
    from rolltrack.core.sample import BoolArray, FloatArray

_KNOT_S = 0.025
_BEFORE = 0.35
"""Share of a knot interval before the first reading: then at 25 to 400 Hz no reading falls on a
knot, where rounding would choose its interval."""
_SINGER_S = 0.3
_START_SD, _NOTHING_SAID = 0.05, 50.0
_START_CHANGE = 10.0
_FIRST_NOISE_MPS2 = 0.2
_FIRST_RATE_RADPS = 0.01
_QUIETEST_MPS2 = 0.02
_LEAST_RATE_RADPS, _ASKEW = 0.002, 0.005
"""A gyroscope's noise, and how far its axes lean. What the spline leaves of a rate tells less: the
more that is trusted, the closer the spline follows it."""
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
_NEAR = 2e-3
"""Near enough where the next answer will go on from this one."""
_EDGE, _MOVED = 4.0, 0.15
"""In no-slip times, and of a unit vector; simulated rolling moves what is known by 0.1 at most."""
_LEAST_VARIANCE = 1e-8
"""What is left of a variance where probing has rounded it away."""


@dataclass(slots=True)
class _Levels:
    """Noise at the N readings: of the force, of the angular rate; and liveliness (intervals,)."""

    force_mps2: FloatArray
    rate_radps: FloatArray
    weight: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class BallEstimate:
    """The answer.

    Attributes:
        model: the motion at the readings.
        noise_mps2: (N,) what the force was weighted with.
        constants: what is known about the constants now.
        basis: the spline's basis at the readings.
        coefficients: (n, 3) of the spline.
        solved: the last step.
    """

    model: BallModel
    noise_mps2: FloatArray
    constants: Constants
    basis: Basis
    coefficients: FloatArray
    solved: Solved

    def leads_to(self, t_s: FloatArray, readings: BallReadings) -> bool:
        """Whether it covers most of a later stretch, times t_s (N,), of the same sensors."""
        covered = self.basis.start_s <= t_s[0] and t_s[len(t_s) // 2] < self.basis.end_s
        return bool(covered) and len(self.constants.mean) == readings.constants


def prior(*, gyroscope: bool) -> Constants:
    """Before anything was measured: bias 40 mg, sensor near the middle of the ball."""
    sd = [0.4] * 3 + [0.01] * 3 + ([0.05] * 3 + [0.015] * 3 if gyroscope else [])
    return Constants(np.zeros(len(sd)), np.diag(np.array(sd) ** -2.0))


def estimate_ball(
    t_s: FloatArray,
    readings: BallReadings,
    known: Constants,
    steps: int,
    before: BallEstimate | None = None,
) -> BallEstimate:
    """Maximum a posteriori over a stretch without gaps, by Gauss-Newton.

    Args:
        t_s: (N,) strictly increasing.
        readings: what was measured at these times.
        known: constants as known from before.
        steps: how many to take at most.
        before: an answer that leads to this stretch. From there two steps usually do; without one
            they start from a linear solution.

    Raises:
        numpy.linalg.LinAlgError: the readings contradict the model so badly that no step can be
        taken, or the answer before.
    """
    if before is None:
        basis, c, q = _begun(t_s, readings, known)
        done, enough, near, seen = 0, 4, _SMALLEST_STEP, len(t_s)
    else:
        basis, c, q = _prolonged(t_s, before)
        # What the spline has only been prolonged to says nothing about noise yet.
        seen = int(np.searchsorted(t_s, before.basis.end_s))
        done, enough, near = 1, 3, _NEAR
    levels = _first_levels(basis, len(t_s))
    model = predict(basis, c, q, readings)
    while True:
        if done in (1, 2):
            levels = _measure(basis, t_s, model, readings, seen)
            seen = len(t_s)
        solved = solve(with_constants(_system(basis, c, model, levels, readings), q, known))
        step = solved.step.reshape(-1, 3)
        # However the sensor sits, the same: the length of each step, not its parts.
        size = np.sqrt(dots(step.T, step.T))
        if before is not None and done == 1:
            _check_known(size, readings)
        largest = float(size.max())
        share = min(1.0, _LARGEST_STEP / max(largest, _SMALLEST_STEP))
        c, q = c + share * step, q + share * solved.constants_step
        model = predict(basis, c, q, readings)
        done += 1
        if done >= steps or (done >= enough and largest < near):
            break
    constants = Constants(q, solved.constants_precision)
    return BallEstimate(model, levels.force_mps2, constants, basis, c, solved)


def _begun(
    t_s: FloatArray, readings: BallReadings, known: Constants
) -> tuple[Basis, FloatArray, FloatArray]:
    """Basis, coefficients and constants to begin with: a linear solution for each of three axes."""
    basis = Basis.at(t_s, float(t_s[0]) - _BEFORE * _KNOT_S, _KNOT_S)
    k_s2 = readings.radius_m / G_MPS2
    sd, loose = np.full(len(t_s), _START_SD), _first_levels(basis, len(t_s)).weight
    if readings.clipped is not None:
        sd[readings.clipped] = _NOTHING_SAID
    pointing = (readings.force_mps2 - known.mean[:3]) / G_MPS2
    c = [solve_phase(basis, pointing[:, axis], sd, k_s2, _SINGER_S, loose) for axis in range(3)]
    return basis, np.stack(c, axis=1), known.mean.copy()


def _prolonged(t_s: FloatArray, before: BallEstimate) -> tuple[Basis, FloatArray, FloatArray]:
    """The same from an earlier answer: what it still covers, and on from there as expected."""
    start_s = before.basis.start_s
    gone = int(max(0.0, float(t_s[0]) - start_s) / _KNOT_S)
    basis = Basis.at(t_s, start_s + gone * _KNOT_S, _KNOT_S)
    kept = before.coefficients[gone:]
    c = prolonged(kept, basis.coefficients, process_row(_KNOT_S, _SINGER_S))
    return basis, c, before.constants.mean.copy()


def _check_known(step: FloatArray, readings: BallReadings) -> None:
    """What was known in the middle of a stretch must stay, however far a step (n,) moves its ends.

    Else the ball was turned around meanwhile, and what one step more makes of it may be anything.
    """
    edge = round(_EDGE * no_slip_time_s(readings.radius_m) / _KNOT_S)
    if step[edge : -edge - 1].max(initial=0.0) > _MOVED:
        raise np.linalg.LinAlgError("the motion does not go on as before")


def _first_levels(basis: Basis, count: int) -> _Levels:
    weight = basis.spacing_s * _SINGER_S / (2 * _START_CHANGE**2)
    return _Levels(
        np.full(count, _FIRST_NOISE_MPS2),
        np.full(count, _FIRST_RATE_RADPS),
        np.full(basis.intervals, weight),
    )


def _measure(
    basis: Basis, t_s: FloatArray, model: BallModel, readings: BallReadings, seen: int
) -> _Levels:
    """Noise from the residual along u, which the motion cannot absorb; liveliness from u''.

    Only the oldest `seen` readings tell.
    """
    count, period_s = len(t_s), readings.period_s
    width = round(_WINDOW_S / period_s)
    radial = dots(model.residual[:3, :seen], model.up[:, :seen])
    power = np.minimum(radial**2, _CLIP**2 * median(radial**2) + 0.05**2)
    force_sd = np.sqrt(box(power, width) + _QUIETEST_MPS2**2)
    force_sd = force_sd * colour_of(radial / force_sd, period_s)
    rate_sd = np.full(seen, _FIRST_RATE_RADPS)
    if readings.rate_radps is not None:
        apart = model.residual[4:, :seen]
        rate_sd = measure_rate(np.sqrt(dots(apart, apart) / 2), period_s)
        told = readings.rate_radps[:seen].T
        rate_sd = np.sqrt(rate_sd**2 + _LEAST_RATE_RADPS**2 + _ASKEW**2 * dots(told, told))
    bend, slope = model.change[:, :seen], model.turn[:, :seen]
    change, turn = dots(bend, bend) / 2, dots(slope, slope)
    lively = np.sqrt(1.5 * box(change, width) + (_SLOW + _LIVELY * np.sqrt(box(turn, width))) ** 2)
    weight = process_weight(basis, t_s[:seen], lively, _SINGER_S)
    return _Levels(lengthened(force_sd, count), lengthened(rate_sd, count), weight)


def _system(
    basis: Basis, c: FloatArray, model: BallModel, levels: _Levels, readings: BallReadings
) -> Bordered:
    """Normal equations: x, y, z of each of the spline's coefficients in turn."""
    wide = _weighted(basis, model, levels, readings.clipped)
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


def _weighted(
    basis: Basis, model: BallModel, levels: _Levels, clipped: BoolArray | None
) -> FloatArray:
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
    if clipped is not None:
        root[:3, clipped] = root[4:, clipped] = 0.0
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


def speed_sd(found: BallEstimate, tau_s: float, at: slice) -> FloatArray:
    """(k,) standard deviation of u' along itself at some of the readings.

    For many of them the band's inverse is probed, as for rollers; for few they are solved for.
    """
    basis, solved, turn = found.basis, found.solved, found.model.turn[:, at]
    along = turn / np.maximum(np.sqrt(dots(turn, turn)), 1e-9)
    row = (basis.slope[:, None, at] * along).reshape(_WIDE, -1)
    interval = basis.interval[at]
    each, count = 3 * interval + _COLUMN, row.shape[1]
    most = 3 * basis.coefficients
    width = min(most, 3 * max(4 * ORDER, int(_MEMORY * tau_s / basis.spacing_s)))
    if count < width:
        columns, index = np.zeros((most, count), order="F"), np.arange(count)
        columns[each, index] = row
        variance = np.einsum("an,an->n", row, solve_band(solved.factor, columns)[each, index])
    else:
        probe, index = np.zeros((most, width), order="F"), np.arange(most)
        probe[index, index % width] = 1.0
        inverse = solve_band(solved.factor, probe)
        alive = 3 * np.arange(basis.intervals) + _COLUMN
        local = inverse[alive[:, None], alive[None] % width]
        variance = np.einsum("an,abn,bn->n", row, local[:, :, interval], row)
    through = np.einsum("an,ank->nk", row, solved.border[each])
    covariance = np.linalg.inv(solved.constants_precision)
    variance += np.einsum("nk,kl,nl->n", through, covariance, through)
    return np.asarray(np.sqrt(np.maximum(variance, _LEAST_VARIANCE)))
