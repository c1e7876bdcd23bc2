"""Is it in somebody's hands? A roller on its axle feels next to nothing change along that axle.

Measured on recordings of an IMU moved freely by hand (BROAD): over three seconds the specific force
along the supposed axle, without what is faster than a hand, scatters by more than 0.012 g nearly
always; on floors, rough ones included, hardly ever. A gyroscope sees the same in the rate across
the axle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from rolltrack.core.motion.constants import G_MPS2, KNOCK_MPS2, ROUNDING_S, mean_period_s
from rolltrack.core.motion.phase import in_plane, plane_across
from rolltrack.core.motion.short import axes_of, covariance, gradient
from rolltrack.core.sample import ImuSamples

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.sample import BoolArray, FloatArray

WINDOW_S = 3.0
_AHEAD_S = 1.5
_CALM_WINDOW_S = 1.0
_HAND_S = 0.25
"""Averaged over this long, floors are quiet and hands are not."""
_VIBRATION = 1.5
"""What averaging leaves of vibration, as a power, over what it would leave of white noise."""
_RESTLESS_MPS2 = 0.012 * G_MPS2
_CALM_MPS2 = 0.003 * G_MPS2
"""Put down again: the last second is calmer than any hand."""
_PER_RATE_MPS = 0.004 * G_MPS2
"""A wheel that spins fast shakes along its axle, too."""
_ACROSS_RADPS = 0.1
_ACROSS_SHARE = 0.06
_SWING_MPS2 = 0.3 * G_MPS2
_FASTEST_RADPS = 20.0
_ASKEW_RAD = 0.03
"""How wrong the axle may be."""
_FEWEST = 8
DOUBTFUL = 0.65
"""Of what is carried for sure: enough to say nothing of the speed. Floors stay below 0.5."""


def being_carried(samples: ImuSamples, axle: FloatArray) -> BoolArray:
    """(n,) where the roller does not stay on its axle, or may not.

    Args:
        samples: one stretch without gaps; the first `WINDOW_S` of it see less than they should.
        axle: (3,) unit vector.
    """
    return np.asarray(restlessness(samples, axle, _AHEAD_S) > DOUBTFUL)


def restlessness(samples: ImuSamples, axle: FloatArray, ahead_s: float) -> FloatArray:
    """(n,) how it moves off its axle, by what a roller on a floor may: more than 1 is carried.

    Args:
        samples: one stretch without gaps; the first `WINDOW_S` of it see less than they should.
        axle: (3,) unit vector.
        ahead_s: how much of the window may lie after an instant.
    """
    n = len(samples)
    found = np.zeros(n)
    if n < _FEWEST:
        return found
    period_s = mean_period_s(samples.t_s)
    short = _Window(_CALM_WINDOW_S, period_s, min(ahead_s, _CALM_WINDOW_S / 2))
    if samples.accel_mps2 is not None:
        sane = _sane(samples.accel_mps2)
        calm = _slow(sane, period_s)
        along, across = calm @ axle, in_plane(calm, plane_across(axle))
        shaking = _VIBRATION * period_s / _HAND_S * (sane @ axle - along) ** 2
        long = _Window(WINDOW_S, period_s, ahead_s)
        swing = _root(long.mean(_swing_radps(across, period_s) ** 2))
        moments = _moments(along, across)
        scatter = _root(_unexplained(long.mean(moments)) ** 2 - long.mean(shaking))
        lately = _unexplained(short.mean(moments))
        restless = scatter / (_RESTLESS_MPS2 + _PER_RATE_MPS * swing)
        found = np.where(lately > _CALM_MPS2, restless, 0.0)
    if samples.gyro_radps is not None:
        about = samples.gyro_radps @ axle
        rate_across = samples.gyro_radps - np.outer(about, axle)
        # A bias across the axle does not scatter.
        steady = rate_across.T - rate_across.mean(axis=0)[:, np.newaxis]
        power = np.sum(short.mean(steady**2) - short.mean(steady) ** 2, axis=0)
        turning = _root(short.mean(about**2))
        found = np.maximum(found, _root(power) / (_ACROSS_RADPS + _ACROSS_SHARE * turning))
    return found


@dataclass(slots=True)
class CarriedWatch:
    """Keeps the axle from being learnt in somebody's hands.

    Attributes:
        recent: the last seconds.
    """

    recent: list[ImuSamples] = field(default_factory=list)

    def may_learn(self, beat: ImuSamples, finder: AxleFinder) -> bool:
        """Whether the readings up to this beat turn about one axle.

        If they do, clearly, but about another one than was found, the one found was learnt in
        somebody's hands and is forgotten.
        """
        self.recent.append(beat)
        oldest_s = float(beat.t_s[-1]) - WINDOW_S
        self.recent = [part for part in self.recent if part.t_s[-1] > oldest_s + ROUNDING_S]
        window = ImuSamples.join(self.recent)
        if beat.accel_mps2 is None:
            return self._turns_about_one(window, finder)
        if window.accel_mps2 is None or len(window) < _FEWEST:
            return True
        period_s = mean_period_s(window.t_s)
        calm = _slow(_sane(window.accel_mps2), period_s)
        power, axes = axes_of(covariance(calm))
        rate = float(np.mean(_swing_radps(in_plane(calm, axes[:, 1:]), period_s)))
        allowed = _RESTLESS_MPS2 + _PER_RATE_MPS * rate
        if power[0] > allowed**2:
            return False
        known = finder.direction
        if known is not None and power[1] > _SWING_MPS2**2:
            scatter = float(np.std(calm @ known))
            if scatter > 2 * allowed:
                self._relearn(finder)
        return True

    def _turns_about_one(self, window: ImuSamples, finder: AxleFinder) -> bool:
        """The same by a gyroscope alone."""
        if window.gyro_radps is None or len(window) < _FEWEST:
            return True
        spread, axes = axes_of(covariance(window.gyro_radps))
        allowed = DOUBTFUL * (_ACROSS_RADPS + _ACROSS_SHARE * np.sqrt(spread[2]))
        if spread[1] > allowed**2:
            return False
        known = finder.direction
        if known is not None and spread[2] > (2 * _ACROSS_RADPS) ** 2:
            across = 1.0 - float(known @ axes[:, 2]) ** 2
            if across * spread[2] > (2 * allowed) ** 2:
                self._relearn(finder)
        return True

    def _relearn(self, finder: AxleFinder) -> None:
        """Forget the axle, and take the one of the last seconds."""
        finder.forget()
        if len(self.recent) > 1:
            finder.see_turning(ImuSamples.join(self.recent[:-1]))

    def interrupt(self) -> None:
        """A gap: what comes next has no past."""
        self.recent = []


def _slow(force_mps2: FloatArray, period_s: float) -> FloatArray:
    width = max(3, round(_HAND_S / period_s))
    return np.asarray(uniform_filter1d(force_mps2, width, axis=0, output=float, mode="nearest"))


def _sane(force_mps2: FloatArray) -> FloatArray:
    """(n, 3) without what no hand does: that is a knock, or no reading at all."""
    mad = np.einsum("ni,ni->n", force_mps2, force_mps2) > KNOCK_MPS2**2
    if not mad.any() or mad.all():
        return force_mps2
    at, sane = np.arange(len(mad)), np.flatnonzero(~mad)
    return np.column_stack([np.interp(at, sane, part[sane]) for part in force_mps2.T])


def _swing_radps(across: ComplexArray, period_s: float) -> FloatArray:
    """(n,) how fast the force (n,) in a plane turns there."""
    size = np.maximum(np.abs(across), 0.3 * G_MPS2)
    rate: FloatArray = np.minimum(np.abs(gradient(across, period_s)) / size, _FASTEST_RADPS)
    return rate


@dataclass(frozen=True, slots=True)
class _Window:
    """A window that ends ahead_s after each instant; the ends of a stretch are repeated.

    Filtering many rows at once costs little more than one: calls are dear, numbers cheap.
    """

    window_s: float
    period_s: float
    ahead_s: float

    def mean(self, values: FloatArray) -> FloatArray:
        """Of values (..., n) at each of the n instants."""
        width = max(3, round(self.window_s / self.period_s))
        ahead = min(round(self.ahead_s / self.period_s), width // 2)
        origin = min(width // 2 - ahead, (width - 1) // 2)
        return np.asarray(
            uniform_filter1d(values, width, output=float, mode="nearest", origin=origin)
        )


def _moments(along: FloatArray, across: ComplexArray) -> FloatArray:
    """(9, n) products whose means over a window give the covariances there, and single terms."""
    a, x, y = along - np.mean(along), across.real, across.imag
    x, y = x - np.mean(x), y - np.mean(y)
    return np.array([x * x, y * y, x * y, a * x, a * y, a * a, x, y, a])


def _unexplained(means: FloatArray) -> FloatArray:
    """(n,) scatter of the force along the axle that a slightly wrong axle cannot explain.

    Args:
        means: (9, n) of `_moments` over a window.
    """
    x, y, a = means[6:]
    xx, yy, xy, ax, ay, aa = means[:6] - np.array([x * x, y * y, x * y, a * x, a * y, a * a])
    xx, yy = xx + _RESTLESS_MPS2**2, yy + _RESTLESS_MPS2**2
    determinant = xx * yy - xy**2
    by_x = np.clip((ax * yy - ay * xy) / determinant, -_ASKEW_RAD, _ASKEW_RAD)
    by_y = np.clip((ay * xx - ax * xy) / determinant, -_ASKEW_RAD, _ASKEW_RAD)
    power = aa - 2 * (by_x * ax + by_y * ay)
    power += by_x**2 * xx + by_y**2 * yy + 2 * by_x * by_y * xy
    return _root(power)


def _root(power: FloatArray) -> FloatArray:
    """Of a windowed mean of squares; sums that run on leave a little less than zero for nothing."""
    return np.asarray(np.sqrt(np.maximum(power, 0.0)))
