"""Where the axle points in the sensor's axes, and the gyroscope's bias."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rolltrack.core.motion.constants import FASTEST_RADPS, G_MPS2, KNOCK_MPS2
from rolltrack.core.motion.short import axes_of
from rolltrack.core.sample import FloatArray, ImuSamples, zeros

_SWING_MPS2 = 0.02 * G_MPS2
"""Gravity must have swung this much more (rms) than the force along the axle scatters."""
_ASKEW_RAD = 0.14
"""An axle that may be this wrong, as a standard deviation, is not known yet."""
_SWING_RADPS = 0.1
_SLOPE_RAD = 0.1
"""Floors slope by about as much, or the sensor is mounted so."""
_ALONG_MPS2 = 0.01 * G_MPS2
_ALIKE_N = 50
"""So many readings count as one: what else than noise moves along the axle lasts longer."""
_INHERITED_N = 300
"""Readings that all earlier sessions together count for."""
_REMEMBERED_N = 3000
"""Readings at rest that the bias is the mean of: it drifts with warmth."""
_ANOTHER_BIAS_RADPS = 0.02
"""No drift: without an accelerometer it was taken for rest what was none, then or now."""
_DISTINCT = 4.0
"""The largest power of the angular rate over the next, before its direction is believed."""


@dataclass(slots=True)
class AxleFinder:
    """Running sums over a session: gravity swings across the axle, the angular rate lies along it.

    Attributes:
        hint: direction the sensor says its axle has; it serves until one is found, and fixes the
            sign of that one.
        direction: the axle found so far, None before.
    """

    hint: tuple[float, float, float] | None = None
    force_n: int = 0
    force_sum: FloatArray = field(default_factory=lambda: zeros(3))
    force_scatter: FloatArray = field(default_factory=lambda: zeros(3, 3))
    rate_n: int = 0
    rate_scatter: FloatArray = field(default_factory=lambda: zeros(3, 3))
    rest_n: int = 0
    rest_rate_sum: FloatArray = field(default_factory=lambda: zeros(3))
    direction: FloatArray | None = None

    @property
    def axle(self) -> FloatArray | None:
        """(3,) unit vector, None while neither the readings nor the sensor tell."""
        if self.direction is None and self.hint is not None:
            return np.asarray(self.hint, dtype=float)
        return self.direction

    @property
    def along_mps2(self) -> float:
        """Mean specific force along the axle while it turned, as on a slope."""
        if self.axle is None or not self.force_n:
            return 0.0
        return float(self.force_sum @ self.axle) / self.force_n

    @property
    def rate_bias_radps(self) -> FloatArray:
        """(3,) gyroscope bias, zero until the roller has rested once."""
        return self.rest_rate_sum / self.rest_n if self.rest_n else zeros(3)

    @property
    def has_rested(self) -> bool:
        """Whether the gyroscope's bias was seen at all."""
        return self.rest_n > 0

    def see_rest(self, beat: ImuSamples) -> None:
        """Take readings of a roller that does not turn."""
        if beat.gyro_radps is not None:
            off = np.abs(beat.gyro_radps.mean(axis=0) - self.rate_bias_radps).max()
            if beat.accel_mps2 is None and off > _ANOTHER_BIAS_RADPS:
                self.rest_n, self.rest_rate_sum = 0, zeros(3)
            if self.rest_n > _REMEMBERED_N:
                self.rest_rate_sum *= _REMEMBERED_N / self.rest_n
                self.rest_n = _REMEMBERED_N
            self.rest_n += len(beat)
            self.rest_rate_sum += beat.gyro_radps.sum(axis=0)

    def heir(self) -> AxleFinder:
        """One for the next session of the same roller: it knows the axle, but can soon unlearn."""
        force, rate = (min(1.0, _INHERITED_N / max(n, 1)) for n in (self.force_n, self.rate_n))
        return AxleFinder(
            self.hint,
            round(force * self.force_n),
            force * self.force_sum,
            force * self.force_scatter,
            round(rate * self.rate_n),
            rate * self.rate_scatter,
            self.rest_n,
            self.rest_rate_sum.copy(),
            self.direction,
        )

    def forget(self) -> None:
        """What was learnt of the axle was wrong; the gyroscope's bias stays."""
        self.force_n = self.rate_n = 0
        self.force_sum, self.force_scatter = zeros(3), zeros(3, 3)
        self.rate_scatter = zeros(3, 3)
        self.direction = None

    def see_rests_of(self, later: AxleFinder) -> None:
        """Take over the bias that an heir has seen at rest."""
        self.rest_n, self.rest_rate_sum = later.rest_n, later.rest_rate_sum.copy()

    def see_turning(self, beat: ImuSamples) -> None:
        """Take readings of a roller that turns; knocks and clipped ones say nothing of its axle."""
        beat = _without_knocks(beat)
        if beat.accel_mps2 is not None:
            self.force_n += len(beat)
            self.force_sum += beat.accel_mps2.sum(axis=0)
            self.force_scatter += beat.accel_mps2.T @ beat.accel_mps2
        if beat.gyro_radps is not None:
            rate = beat.gyro_radps - self.rate_bias_radps
            self.rate_n += len(beat)
            self.rate_scatter += rate.T @ rate
        found = self._from_rate() if self.rate_n else self._from_force()
        if found is not None:
            self.direction = found if found @ self._reference(found) >= 0 else -found

    def _reference(self, found: FloatArray) -> FloatArray:
        """Fixes the sign: the axle so far, else the largest component is positive."""
        if self.axle is not None:
            return self.axle
        largest = zeros(3)
        largest[int(np.argmax(np.abs(found)))] = 1.0
        return largest

    def _from_rate(self) -> FloatArray | None:
        power, axes = axes_of(self.rate_scatter / self.rate_n)
        known = power[2] > _SWING_RADPS**2 and power[2] > _DISTINCT * power[1]
        return np.asarray(axes[:, 2]) if known else None

    def _from_force(self) -> FloatArray | None:
        if not self.force_n:
            return None
        mean = self.force_sum / self.force_n
        scatter = self.force_scatter / self.force_n - np.outer(mean, mean)
        # The force along the axle is constant: zero on a level floor. How nearly it is constant
        # tells the axle once gravity has swung through an arc; before, that it should be zero.
        noise = max(float(axes_of(scatter)[0][0]), _ALONG_MPS2**2)
        vague = noise * _ALIKE_N / self.force_n
        level = vague / (_SLOPE_RAD * G_MPS2) ** 2
        power, axes = axes_of(scatter + min(1.0, level) * np.outer(mean, mean))
        known = power[1] - power[0] > max(_SWING_MPS2**2, vague / _ASKEW_RAD**2)
        return np.asarray(axes[:, 0]) if known else None


def _without_knocks(beat: ImuSamples) -> ImuSamples:
    """One wild reading outweighs hundreds, as squares are summed."""
    wild = np.zeros(len(beat), dtype=bool) if beat.clipped is None else beat.clipped
    for readings, most in ((beat.accel_mps2, KNOCK_MPS2), (beat.gyro_radps, FASTEST_RADPS)):
        if readings is not None:
            wild = wild | (np.abs(readings) > most).any(axis=1)
    return beat.only(~wild) if wild.any() else beat
