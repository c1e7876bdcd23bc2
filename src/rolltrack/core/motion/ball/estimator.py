"""Speed of a ball along the tissue: radius times how fast gravity's direction moves over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from rolltrack.core.motion.ball.model import BallReadings
from rolltrack.core.motion.ball.solve import BallEstimate, estimate_ball, prior, speed_sd
from rolltrack.core.motion.batch import Constants
from rolltrack.core.motion.constants import G_MPS2, mean_period_s, no_slip_time_s
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.noise import box
from rolltrack.core.motion.short import dots
from rolltrack.core.motion.validity import where_valid

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.sample import BoolArray, FloatArray, ImuSamples

ALGORITHM = "map/1"

_FEWEST = 16
_MOVING_MPS = 0.006
"""Slower than this, the direction of motion means nothing; the same limit ends a stroke."""
_LEAST, _MOST = 0.3 * G_MPS2, 2.0 * G_MPS2
_SURPRISE = 14.0
_WORST = 60.0
_SMALL_MPS2 = 0.15 * G_MPS2
_CLUSTER = 3.5
_INHERITED = 0.2
"""Share of the certainty about the sensor that outlives a session."""
_WARPED = 0.05
"""Of a unit vector: where u does not keep its length, no motion was found."""
_SD_FACTOR, _SD_FACTOR_GYRO = 1.05, 0.5
"""Of the deviation that the model states by itself: with these, simulated sessions err by more than
two of them about as seldom as they should."""
_FORCE_GAIN_SHARE = 0.015
"""Of the rate: an accelerometer's axes differ in gain."""
_GAIN_SHARE, _RATE_RADPS = 0.006, 0.0045
"""Of the rate: a gyroscope's axes differ in gain; and what its bias is uncertain by."""
_MOST_CENTRIPETAL = 0.5 * G_MPS2
"""Beyond, about 0.5 m/s, another motion may explain a short stretch just as well."""


@dataclass(slots=True)
class BallEstimator:
    """Knows more with every span.

    A ball has no direction of its own: the way it first rolls counts as +1, and from then on the
    sign changes whenever it turns back by more than a right angle.

    Attributes:
        radius_m: of the ball.
        steps: Gauss-Newton steps; fewer for the live estimate.
        learns: share of what a span seems to tell about the sensor that is kept. In a second or
            two, vibration and gain errors pass for bias.
        has_axle: False, whatever the readings may look like.
        known: the sensor's constants as known so far, None before the first span.
        way: (3,) the direction of motion in the sensor's axes where it last moved; zero before.
        way_sign: that direction's sign.
        way_s: until when it is known.
    """

    radius_m: float
    steps: int
    learns: float = 1.0
    has_axle: ClassVar[bool] = False
    known: Constants | None = None
    way: FloatArray | None = None
    way_sign: float = 1.0
    way_s: float = -np.inf

    def heir(self) -> BallEstimator:
        """One for the next session of the same ball."""
        known = self.known
        if known is not None:
            known = Constants(known.mean, _INHERITED * known.precision)
        return BallEstimator(self.radius_m, self.steps, self.learns, known)

    def estimate(
        self,
        samples: ImuSamples,
        finder: AxleFinder,
        learn: slice | None,
        doubtful: BoolArray | None = None,
    ) -> Motion:
        """Speed along the tissue at every reading.

        Args:
            samples: one stretch without gaps; a ball needs the accelerometer.
            finder: knows the gyroscope's bias at rest.
            learn: the readings whose knowledge is to be kept.
            doubtful: (n,) where the model cannot hold.
        """
        readings = self._readings(samples, finder)
        found = None if readings is None else self._explained(samples, readings, None)
        if readings is None or found is None:
            return Motion.unknown(samples.t_s)
        motion = self._motion(samples, readings, found, slice(None), learn)
        if learn is not None:
            share = self.learns * len(samples.t_s[learn]) / len(samples)
            self.known = self._known(readings).updated(found.constants, share)
        return motion if doubtful is None else motion.unknown_where(doubtful)

    def follow(
        self, samples: ImuSamples, finder: AxleFinder, before: BallEstimate | None, at: slice
    ) -> tuple[Motion, BallEstimate | None]:
        """Speed at some of the readings, and from where to go on at the next hop.

        Where the answer before leads to does not explain all readings, they are looked at afresh.

        Args:
            samples: one stretch without gaps.
            finder: knows the gyroscope's bias at rest.
            before: the answer a hop ago, if it explained everything.
            at: the instants to be said.
        """
        readings = self._readings(samples, finder)
        if readings is None:
            return Motion.unknown(samples.t_s[at]), None
        found = None
        if before is not None and before.leads_to(samples.t_s, readings):
            found = self._explained(samples, readings, before)
        sound = found is not None and bool(_holds(readings, found).all())
        if not sound:
            found = self._explained(samples, readings, None)
        if found is None:
            return Motion.unknown(samples.t_s[at]), None
        sound = sound or bool(_holds(readings, found).all())
        motion = self._motion(samples, readings, found, at, None)
        return motion, found if sound else None

    def _readings(self, samples: ImuSamples, finder: AxleFinder) -> BallReadings | None:
        force, rate = samples.accel_mps2, samples.gyro_radps
        if force is None or len(samples) < _FEWEST:
            return None
        if rate is not None:
            rate = rate - finder.rate_bias_radps
        period_s = mean_period_s(samples.t_s)
        return BallReadings(force, rate, self.radius_m, period_s, samples.clipped)

    def _known(self, readings: BallReadings) -> Constants:
        fresh = prior(gyroscope=readings.rate_radps is not None)
        known = self.known
        return fresh if known is None or len(known.mean) != len(fresh.mean) else known

    def _explained(
        self, samples: ImuSamples, readings: BallReadings, before: BallEstimate | None
    ) -> BallEstimate | None:
        """What motion explains them best; None if there is none."""
        known = self._known(readings)
        try:
            return estimate_ball(samples.t_s, readings, known, self.steps, before)
        except np.linalg.LinAlgError:
            return None

    def _motion(
        self,
        samples: ImuSamples,
        readings: BallReadings,
        found: BallEstimate,
        at: slice,
        learn: slice | None,
    ) -> Motion:
        turn = found.model.turn
        size = np.sqrt(dots(turn, turn))
        sign = self._signs(samples.t_s, turn.T, self.radius_m * size, learn)[at]
        valid, size = _holds(readings, found)[at], size[at]
        sd = speed_sd(found, no_slip_time_s(self.radius_m), at)
        if readings.rate_radps is None:
            sd = np.hypot(_SD_FACTOR * sd, _FORCE_GAIN_SHARE * size)
        else:
            gyro_sd = np.hypot(_GAIN_SHARE * size, _RATE_RADPS)
            sd = np.hypot(_SD_FACTOR_GYRO * sd, gyro_sd)
        return where_valid(samples[at], sign * size, sd, self.radius_m, valid)

    def _signs(
        self, t_s: FloatArray, turn: FloatArray, speed_mps: FloatArray, learn: slice | None
    ) -> FloatArray:
        """(n,) which way it rolls; a stretch that is kept moves the memory on."""
        moving = np.flatnonzero((speed_mps > _MOVING_MPS) & (t_s > self.way_s))
        if not len(moving):
            return np.full(len(t_s), self.way_sign)
        ways = turn[moving] / np.linalg.norm(turn[moving], axis=1)[:, None]
        before = ways[:1] if self.way is None else self.way[None]
        turned_back = np.einsum("ni,ni->n", ways, np.concatenate([before, ways[:-1]])) < 0
        sign = self.way_sign * np.where(np.cumsum(turned_back) % 2, -1.0, 1.0)
        if learn is not None:
            stop = range(*learn.indices(len(t_s))).stop
            kept = int(np.searchsorted(moving, stop))
            if kept:
                self.way, self.way_sign = ways[kept - 1], float(sign[kept - 1])
                self.way_s = float(t_s[moving[kept - 1]])
        at = np.searchsorted(moving, np.arange(len(t_s)), side="right") - 1
        return np.where(at < 0, sign[0], sign[np.maximum(at, 0)])


def _holds(readings: BallReadings, found: BallEstimate) -> BoolArray:
    """(N,) where the readings are of gravity's size and the model explains them."""
    tau_s, period_s = no_slip_time_s(readings.radius_m), readings.period_s
    width = round(_CLUSTER * tau_s / period_s)
    force = box(np.linalg.norm(readings.force_mps2, axis=1), width)
    left = np.minimum(np.linalg.norm(found.model.residual[:3], axis=0), G_MPS2)
    surprise = np.minimum((left / found.noise_mps2) ** 2, _WORST)
    explained = (box(surprise, width) < _SURPRISE) | (box(left, width) < _SMALL_MPS2)
    upright = box(np.abs(found.model.residual[3]), width) < _WARPED
    turn = found.model.turn
    slow = readings.radius_m * dots(turn, turn) < _MOST_CENTRIPETAL
    holds: BoolArray = explained & upright & slow & (force > _LEAST) & (force < _MOST)
    return holds
