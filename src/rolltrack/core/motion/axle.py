"""Where the axle points in the sensor's axes, and the gyroscope's bias."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.sample import FloatArray, ImuSamples, zeros

_SWING_MPS2 = 0.05 * G_MPS2
"""Gravity must have swung this much (rms) before the plane it swings in is believed."""
_SWING_RADPS = 0.1
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
    def rate_bias_radps(self) -> FloatArray:
        """(3,) gyroscope bias, zero until the roller has rested once."""
        return self.rest_rate_sum / self.rest_n if self.rest_n else zeros(3)

    def see_rest(self, beat: ImuSamples) -> None:
        """Take readings of a roller that does not turn."""
        if beat.gyro_radps is not None:
            self.rest_n += len(beat)
            self.rest_rate_sum += beat.gyro_radps.sum(axis=0)

    def see_turning(self, beat: ImuSamples) -> None:
        """Take readings of a roller that turns."""
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
        power, axes = np.linalg.eigh(self.rate_scatter / self.rate_n)
        known = power[2] > _SWING_RADPS**2 and power[2] > _DISTINCT * power[1]
        return np.asarray(axes[:, 2]) if known else None

    def _from_force(self) -> FloatArray | None:
        if not self.force_n:
            return None
        mean = self.force_sum / self.force_n
        # After whole turns the mean is the axle's tilt and must go; over a small arc the mean is
        # gravity itself and must stay, or the arc's own depth would be taken for the axle.
        spread = max(0.0, 1.0 - float(mean @ mean) / G_MPS2**2)
        power, axes = np.linalg.eigh(
            self.force_scatter / self.force_n - spread * np.outer(mean, mean)
        )
        known = power[1] - power[0] > _SWING_MPS2**2
        return np.asarray(axes[:, 0]) if known else None
