"""Is the roller turning at all? Asked before anything is known about its axle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.short import cross

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray, ImuSamples

_TURNING_RAD = 0.025
"""Of gravity, from beat to beat; the slowest stroke (6 mm/s, R 7.5 cm) makes 0.04 rad."""
_STILL_RAD = 0.008
_STILL_WITH_STEADY_RATE_RAD = 0.02
"""A tremor moves gravity more than that, but then the gyroscope says whether anything turns."""
_TURNING_RADPS = 0.05
_STILL_RADPS = 0.03
_LARGEST_RATE_BIAS_RADPS = 0.15
_CALM_RADPS = 0.01
_FIRST_BIAS_RADPS, _BIAS_MOVES_RADPS = 0.06, 0.02
"""A gyroscope alone must tell rest from a slow stroke, 0.08 rad/s, by size: before its bias is
known, and after."""


class Activity(Enum):
    """What half a second of readings looks like."""

    REST = "rest"
    UNSURE = "unsure"
    TURNING = "turning"


@dataclass(slots=True)
class RestDetector:
    """Carries the previous beat's gravity direction.

    With an accelerometer it looks at how far gravity turned from one beat to the next, which a
    gyroscope's bias cannot fool; with a gyroscope alone it looks at the rate, how much it varies
    and how far it is from the bias known so far.
    """

    previous_mps2: FloatArray | None = None

    def judge(self, beat: ImuSamples, rate_bias_radps: FloatArray | None) -> Activity:
        """Classify one beat; by accelerometer, the very first is neither rest nor turning.

        Args:
            beat: half a second of readings.
            rate_bias_radps: (3,) the gyroscope's bias, None before it was seen at rest.
        """
        if beat.accel_mps2 is not None:
            mean = np.asarray(beat.accel_mps2.mean(axis=0))
            previous, self.previous_mps2 = self.previous_mps2, mean
            if previous is None:
                return Activity.UNSURE
            turned = _angle_rad(previous, mean)
            if turned > _TURNING_RAD:
                return Activity.TURNING
            still_rad = _STILL_RAD if beat.gyro_radps is None else _STILL_WITH_STEADY_RATE_RAD
            steady = beat.gyro_radps is None or _steady(beat.gyro_radps)
            return Activity.REST if turned < still_rad and steady else Activity.UNSURE
        if beat.gyro_radps is None:
            return Activity.UNSURE
        mean_rate = beat.gyro_radps.mean(axis=0)
        spread = float(beat.gyro_radps.std(axis=0).max())
        bias, allowed = rate_bias_radps, _BIAS_MOVES_RADPS
        if bias is None:
            bias, allowed = np.zeros(3), _FIRST_BIAS_RADPS
        off = np.abs(mean_rate - bias)
        if spread < _CALM_RADPS and float(off.max()) < allowed:
            return Activity.REST
        moving = float(np.linalg.norm(off)) > _TURNING_RADPS
        return Activity.TURNING if moving or spread > _TURNING_RADPS else Activity.UNSURE


def _steady(rate_radps: FloatArray) -> bool:
    """Whether the rate hardly varies and is no larger than a bias can be."""
    spread = float(rate_radps.std(axis=0).max())
    size = float(np.abs(rate_radps.mean(axis=0)).max())
    return spread < _STILL_RADPS and size < _LARGEST_RATE_BIAS_RADPS


def _angle_rad(a: FloatArray, b: FloatArray) -> float:
    return float(np.arctan2(np.linalg.norm(cross(a, b)), np.dot(a, b)))
