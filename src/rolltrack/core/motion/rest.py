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
_EVEN_BEATS, _EVEN_RADPS, _CALM_BEATS = 12, 0.004, 3
_LARGEST_EVEN_RADPS = 0.35
"""No hand turns so evenly for six seconds: where none was known, that is a bias. In the middle of a
stroke of 40 s a hand may be as even for four, and a machine for ever: so a bias that is known is
given up only for a small one, seen for three beats. The largest that a maker allows is 20 degrees/s
(MPU-6050, zero-rate output)."""


class Activity(Enum):
    """What half a second of readings looks like."""

    REST = "rest"
    UNSURE = "unsure"
    TURNING = "turning"


@dataclass(slots=True)
class RestDetector:
    """Carries the previous beat's gravity direction, and for how long the rate has been even.

    With an accelerometer it looks at how far gravity turned from one beat to the next, which a
    gyroscope's bias cannot fool; with a gyroscope alone it looks at the rate, how much it varies
    and how far it is from the bias known so far.

    Attributes:
        previous_mps2: (3,) mean specific force of the beat before.
        even_radps: (3,) mean rate of the first of the even beats.
        even_beats: how many there were in a row, up to now.
    """

    previous_mps2: FloatArray | None = None
    even_radps: FloatArray | None = None
    even_beats: int = 0

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
        return self._judge_rate(beat.gyro_radps, rate_bias_radps)

    def _judge_rate(self, rate_radps: FloatArray, bias_radps: FloatArray | None) -> Activity:
        mean_rate = rate_radps.mean(axis=0)
        spread = float(rate_radps.std(axis=0).max())
        bias, allowed = bias_radps, _BIAS_MOVES_RADPS
        if bias is None:
            bias, allowed = np.zeros(3), _FIRST_BIAS_RADPS
        off = np.abs(mean_rate - bias)
        even = self._even(mean_rate, spread)
        small = float(np.abs(mean_rate).max()) < _FIRST_BIAS_RADPS
        another = even >= (_EVEN_BEATS if bias_radps is None else _CALM_BEATS)
        if (spread < _CALM_RADPS and float(off.max()) < allowed) or (
            another and (small or bias_radps is None)
        ):
            return Activity.REST
        moving = float(np.linalg.norm(off)) > _TURNING_RADPS
        if bias_radps is None and even:
            return Activity.UNSURE
        return Activity.TURNING if moving or spread > _TURNING_RADPS else Activity.UNSURE

    def _even(self, mean_radps: FloatArray, spread_radps: float) -> int:
        """How many beats in a row, this one included, had one rate that may be a bias."""
        may_be = spread_radps < _CALM_RADPS and np.abs(mean_radps).max() < _LARGEST_EVEN_RADPS
        if not may_be:
            self.even_radps, self.even_beats = None, 0
            return 0
        first = self.even_radps
        if first is None or np.abs(mean_radps - first).max() > _EVEN_RADPS:
            self.even_radps, self.even_beats = mean_radps, 0
        self.even_beats += 1
        return self.even_beats


def _steady(rate_radps: FloatArray) -> bool:
    """Whether the rate hardly varies and is no larger than a bias can be."""
    spread = float(rate_radps.std(axis=0).max())
    size = float(np.abs(rate_radps.mean(axis=0)).max())
    return spread < _STILL_RADPS and size < _LARGEST_RATE_BIAS_RADPS


def _angle_rad(a: FloatArray, b: FloatArray) -> float:
    return float(np.arctan2(np.linalg.norm(cross(a, b)), np.dot(a, b)))
