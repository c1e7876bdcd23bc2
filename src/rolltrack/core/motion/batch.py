"""Best estimate of a stretch: maximum a posteriori, angle as a spline, constants as the border.

Start: slip-proof phase, then one linear solve of phase = theta - k theta''. From there a few Gauss-
Newton steps converge, because the start is within a few hundredths of a radian of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.blur import blur_around, blur_radps
from rolltrack.core.motion.bordered import Solved, rate_variance, solve, with_border
from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.motion.edge import unforeseen_radps
from rolltrack.core.motion.ground import NOTHING_SEEN, GroundSeen, ground_seen
from rolltrack.core.motion.lever import (
    LEVER,
    lever_columns,
    lever_information,
    radial_equations,
)
from rolltrack.core.motion.noise import (
    Noise,
    NoiseRule,
    box,
    measure,
    measure_rate,
    noisiest_radps,
    shaken_more,
)
from rolltrack.core.motion.normal import (
    Bordered,
    Predicted,
    Readings,
    accumulate,
    assemble,
    predict,
)
from rolltrack.core.motion.phase import roller_phase
from rolltrack.core.motion.short import gradient
from rolltrack.core.motion.spline import Basis
from rolltrack.core.motion.steady import process_row, process_weight, solve_phase

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

SINGER_S = 0.3
"""Memory of the motion's w'."""
_START_SD_RADPS2 = 15.0
_START_NOISE_MPS2 = 0.5
_VANISHING = 1e-3
_MOST_MPS2 = 1.5 * G_MPS2
_FIRST_NOISE_MPS2 = 0.15
_HUBER = 4.0
_LOOKS, _MOST_LOOKS = 2, 6
"""At noise and lever arm, with a step after each; the second while these still move."""
_STEADY = 0.02
"""In radii: a lever arm that a look moves no further than this is known."""
_BEFORE = 0.3
"""Share of a knot interval before the first reading: then at 25 to 400 Hz no reading falls on a
knot, where rounding would choose its interval."""
_LARGEST_STEP_RAD = 1.5
_SMALLEST_STEP_RAD = 2e-4
_MEMORY = 23.0
_SURE = 1e10
_SD_SHARE, _BLUR_SHARE = 0.52, 2.2
"""Vibration has less power at the slow end, where hands move, than its colour over 50 ms says; what
is wrong there is rather what smoothing takes, as from a tremor, and that shows in the blur."""
_AVERAGING_S = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Constants:
    """What is known about the sensor's constants: a Gaussian.

    Attributes:
        mean: (nc,).
        precision: (nc, nc) inverse covariance.
    """

    mean: FloatArray
    precision: FloatArray

    @classmethod
    def prior(cls, radius_m: float, *, gyroscope: bool) -> Constants:
        """Before anything was measured: bias 40 mg, sensor in the roller, gains to a per cent."""
        sd = [0.4, 0.4, 0.5 * radius_m, 0.5 * radius_m, 0.01, 0.01, 0.01]
        sd += [0.05, 0.03] if gyroscope else []
        return cls(np.zeros(len(sd)), np.diag(np.array(sd) ** -2.0))

    def without_lever(self) -> Constants:
        """The same, but sure that the sensor sits on the axle."""
        precision = self.precision.copy()
        precision[LEVER, :] = precision[:, LEVER] = 0.0
        precision[LEVER, LEVER] = _SURE * np.eye(2)
        mean = self.mean.copy()
        mean[LEVER] = 0.0
        return Constants(mean, precision)

    def with_lever(self, precision: FloatArray, pull: FloatArray) -> Constants:
        """Add what was learnt of the lever arm: precision (2, 2), and times lever arm (2,)."""
        both, pulls = self.precision.copy(), self.precision @ self.mean
        both[LEVER, LEVER] += precision
        pulls[LEVER] += pull
        return Constants(np.asarray(np.linalg.solve(both, pulls)), both)

    def updated(self, estimate: Constants, share: float) -> Constants:
        """Keep a share of what an estimate that started from here has learnt."""
        precision = self.precision + share * (estimate.precision - self.precision)
        pull = self.precision @ self.mean
        pull = pull + share * (estimate.precision @ estimate.mean - pull)
        return Constants(np.asarray(np.linalg.solve(precision, pull)), precision)


@dataclass(frozen=True, slots=True, eq=False)
class Lead:
    """Somebody else's answer, to begin from.

    Attributes:
        angle_rad: (N,) unwrapped.
        constants: (nc,).
    """

    angle_rad: FloatArray
    constants: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The answer.

    Attributes:
        model: angle, rate and residuals at the readings.
        rate_sd_radps: (N,) standard deviation of the rate.
        blur_radps: (N,) how much smoothing has added to the rate.
        noise: levels the answer was weighted with.
        constants: what is known about the constants now.
        ground_seen: what was seen of the ground here.
        basis: the spline's basis at the readings.
        coefficients: (n,) of the spline.
    """

    model: Predicted
    rate_sd_radps: FloatArray
    blur_radps: FloatArray
    noise: Noise
    constants: Constants
    ground_seen: GroundSeen
    basis: Basis
    coefficients: FloatArray


def knot_spacing_s(tau_s: float) -> float:
    """Close enough that the spline bends wherever a hand and the no-slip time let it."""
    return min(0.02, 0.23 * tau_s)


def start(
    basis: Basis, phase: FloatArray, size: FloatArray, k_s2: float, singer_s: float
) -> FloatArray:
    """(n,) coefficients to begin with; a reading counts by the size of its specific force (N,)."""
    sd = _START_NOISE_MPS2 / np.maximum(np.minimum(size, G_MPS2), _VANISHING)
    prior = np.full(basis.intervals, basis.spacing_s * singer_s / (2 * _START_SD_RADPS2**2))
    return solve_phase(basis, phase, sd, k_s2, singer_s, prior)


def with_constants(system: Bordered, q: FloatArray, known: Constants) -> Bordered:
    """Add what is known about the constants, at the current q."""
    return replace(
        system,
        constants=system.constants + known.precision,
        constants_pull=system.constants_pull + known.precision @ (known.mean - q),
    )


def huber_weight(model: Predicted, sd_mps2: FloatArray) -> FloatArray:
    """(N,) inverse variances, less for residuals beyond four standard deviations."""
    size = np.abs(model.residual) / sd_mps2
    weight: FloatArray = np.minimum(1.0, _HUBER / np.maximum(size, _HUBER)) / sd_mps2**2
    return weight


class _Batch:
    """The working state of one solve."""

    def __init__(
        self,
        t_s: FloatArray,
        readings: Readings,
        known: Constants,
        ground: GroundSeen,
        lead: Lead | None,
    ) -> None:
        tau_s = float(np.sqrt(readings.k_s2))
        self.t_s, self.readings = t_s, readings
        self.before = self.known = known
        self.ground_before, self.ground_seen = ground, NOTHING_SEEN
        self.moving = True
        self.period_s = readings.period_s
        spacing_s = knot_spacing_s(tau_s)
        self.basis = Basis.at(t_s, float(t_s[0]) - _BEFORE * spacing_s, spacing_s)
        self.row = process_row(self.basis.spacing_s, SINGER_S)
        self.noise = Noise(
            np.full(len(t_s), _FIRST_NOISE_MPS2), np.full(len(t_s), _START_SD_RADPS2), 1.0
        )
        if lead is not None:
            self.q = lead.constants.copy()
            size = np.full(len(t_s), G_MPS2)
            self.c = start(self.basis, lead.angle_rad, size, 0.0, SINGER_S)
            self.adapt()
            return
        self.q = known.mean.copy()
        bias = complex(self.q[0], self.q[1])
        force = readings.z - bias
        size = np.abs(force)
        # Force is the weight of its phase; a knock must not weigh more than gravity does.
        heavy = np.minimum(1.0, _MOST_MPS2 / np.maximum(size, _MOST_MPS2))
        phase = roller_phase(force * heavy, self.period_s, tau_s)
        self.c = start(self.basis, phase, size, readings.k_s2, SINGER_S)

    def predict(self) -> Predicted:
        return predict(self.basis, self.c, self.q, self.readings)

    def adapt(self) -> None:
        """Take noise levels and lever arm from the motion as it now is."""
        model = self.predict()
        turning_known = self.readings.rate_radps is not None
        self.noise = measure(model, self.period_s, NoiseRule(), turning_known=turning_known)
        weight = self.weight(model)
        told = lever_information(
            *radial_equations(model, self.readings, weight),
            self.before.mean,
            self.before.precision,
        )
        lever_m = self.known.mean[LEVER]
        self.known = self.before.with_lever(*told)
        moved_m = float(np.hypot(*(self.known.mean[LEVER] - lever_m)))
        self.moving = moved_m > _STEADY * self.readings.k_s2 * G_MPS2
        rate = self.readings.rate_radps
        if rate is not None:
            apart = rate - (1.0 + self.q[-1]) * model.rate - self.q[-2]
            rate_sd = np.minimum(measure_rate(apart, self.period_s), noisiest_radps(rate))
            self.readings = replace(self.readings, rate_sd_radps=rate_sd)
        self.ground_seen = ground_seen(model, self.readings, weight)
        ground = self.ground_before.and_later(self.ground_seen).ground
        self.moving |= abs(ground - self.readings.ground) > _STEADY
        self.readings = replace(self.readings, ground=ground)

    def weight(self, model: Predicted) -> FloatArray:
        return huber_weight(model, self.noise.sd_mps2) * self.readings.trusted

    def system(self, *, with_lever: bool) -> Bordered:
        """Normal equations; the lever arm among the unknowns, or as known."""
        model = self.predict()
        gyroscope = None if self.readings.rate_radps is None else (self.q[-2], self.q[-1])
        normal = accumulate(
            self.basis,
            self.readings,
            model,
            self.weight(model),
            gyroscope,
            lever_columns(model) if with_lever else None,
        )
        return assemble(normal, self.c, self.row, self.process())

    def process(self) -> FloatArray:
        """(intervals,) weight of the process prior."""
        return process_weight(self.basis, self.t_s, self.noise.change_sd_radps2, SINGER_S)

    def step(self) -> tuple[Solved, float]:
        solved = solve(with_constants(self.system(with_lever=False), self.q, self.known))
        largest = float(np.max(np.abs(solved.step)))
        share = min(1.0, _LARGEST_STEP_RAD / max(largest, 1e-12))
        self.c = self.c + share * solved.step
        self.q = self.q + share * solved.constants_step
        return solved, largest


def estimate_batch(
    t_s: FloatArray,
    readings: Readings,
    known: Constants,
    ground: GroundSeen = NOTHING_SEEN,
    lead: Lead | None = None,
) -> Estimate:
    """Maximum a posteriori over a stretch without gaps.

    Args:
        t_s: (N,) strictly increasing, N >= 8.
        readings: what was measured at these times.
        known: constants as known from before.
        ground: what was seen of the ground before.
        lead: where to begin, if not from gravity's phase.

    Raises:
        numpy.linalg.LinAlgError: the readings contradict the model so badly that no step can be
        taken.
    """
    batch = _Batch(t_s, readings, known, ground, lead)
    solved, largest = batch.step()
    looks, last = 0, False
    while True:
        if looks < _LOOKS or (batch.moving and looks < _MOST_LOOKS):
            batch.adapt()
            looks += 1
        elif last or largest < _SMALLEST_STEP_RAD:
            break
        else:
            last = True
        solved, largest = batch.step()
    memory_s = _MEMORY * float(np.sqrt(readings.k_s2))
    memory_s *= 2.0 if readings.rate_radps is not None else 1.0
    # What is not known of the lever arm adds to the error.
    everywhere = with_border(solved, batch.system(with_lever=True).border)
    model = batch.predict()
    share = _SD_SHARE if readings.rate_radps is None else 1.0
    trusted = np.broadcast_to(readings.trusted, t_s.shape)
    variance = share**2 * rate_variance(batch.basis, everywhere, memory_s, trusted)
    variance += averaging_radps(model.change, readings.period_s) ** 2
    if readings.rate_radps is None:
        tau_s = float(np.sqrt(readings.k_s2))
        variance *= shaken_more(model, batch.noise, readings.k_s2 * G_MPS2, readings.period_s) ** 2
        for away_s in (t_s - t_s[0], t_s[-1] - t_s):
            variance += unforeseen_radps(away_s, model.change, tau_s, readings.period_s) ** 2
    blur = blur_radps(batch.basis, solved.factor, batch.c, batch.row, batch.process())
    sd = np.hypot(np.sqrt(variance), _BLUR_SHARE * blur_around(blur, readings.period_s))
    constants = Constants(batch.q, solved.constants_precision)
    seen = batch.ground_seen
    return Estimate(model, sd, blur, batch.noise, constants, seen, batch.basis, batch.c)


def averaging_radps(change_radps2: FloatArray, period_s: float) -> FloatArray:
    """(N,) what a sensor that averages over its sampling period smooths away, from w' (N,).

    The mean of w over an interval T differs from w by w'' T^2 / 24; filters reach twice as far.
    """
    bend = gradient(change_radps2, period_s)
    width = round(_AVERAGING_S / period_s)
    lost: FloatArray = np.sqrt(box(bend**2, width)) * period_s**2 / 6.0
    return lost
