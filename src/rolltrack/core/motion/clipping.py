"""Where a sensor was at the end of its range, for sources that do not say so.

A sensor that clips repeats one number, to the last bit, whenever it is driven beyond its range, and
never reads more. What a roller does repeats no number: noise and rounding see to that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.constants import G_MPS2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.core.sample import BoolArray, FloatArray, ImuSamples

_LEAST_MPS2, _LEAST_RADPS = 1.8 * G_MPS2, 4.2
_MOST_MPS2, _MOST_RADPS = 33.0 * G_MPS2, 72.0
"""The smallest and largest ranges that sensors have, 2 to 32 g and 250 to 4000 degrees/s, with some
room. What is beyond is no reading."""
_SHORT_RADPS = 20.0
"""A hand turns thin rollers faster; a gyroscope that ends below is worth less than none."""
_ALIKE = 3
"""Equal readings in a row that make a plateau."""
_PLATEAUS = 2
"""Before they are taken for the end of the range: at the turning point of a swing a coarse sensor,
or one that is asked more often than it measures, may well repeat itself once, but not at the same
height again."""


@dataclass(slots=True)
class Ceiling:
    """The end of the range of one axis, in one direction, as far as it has shown.

    Attributes:
        least: below this there is none.
        most: nor beyond this.
        top: the most that was read.
        alike: how many of the last readings were equal to it, up to now.
        plateaus: how often it was read long enough.
    """

    least: float
    most: float
    top: float = -np.inf
    alike: int = 0
    plateaus: int = 0

    @property
    def known(self) -> bool:
        """Whether that is the end of the range."""
        return self.plateaus >= _PLATEAUS

    def reached(self, values: FloatArray) -> BoolArray:
        """(n,) which of the next n readings are at the end of the range."""
        clipped = np.zeros(len(values), dtype=bool)
        last = -1
        high = (values >= max(self.least, self.top)) & (values <= self.most)
        for i in np.flatnonzero(high).tolist():
            value = float(values[i])
            if value < self.top:
                continue
            if value > self.top:
                self.top, self.alike, self.plateaus = value, 0, 0
            self.alike = self.alike + 1 if i == last + 1 else 1
            last = i
            if self.alike == _ALIKE:
                self.plateaus += 1
            clipped[i] = self.known
        if last != len(values) - 1:
            self.alike = 0
        return clipped

    def at(self, values: FloatArray) -> BoolArray:
        """(n,) which of n readings are at the end of the range, as it is known now."""
        return np.asarray((values >= self.top) & (values <= self.most) & self.known)


def _ends(least: float, most: float) -> list[Ceiling]:
    """For each of three axes, upwards and then downwards."""
    return [Ceiling(least, most) for _ in range(6)]


@dataclass(slots=True)
class Range:
    """All ends of a sensor's ranges.

    Attributes:
        force: of the accelerometer.
        rate: of the gyroscope.
    """

    force: list[Ceiling] = field(default_factory=lambda: _ends(_LEAST_MPS2, _MOST_MPS2))
    rate: list[Ceiling] = field(default_factory=lambda: _ends(_LEAST_RADPS, _MOST_RADPS))

    @property
    def too_short(self) -> bool:
        """Whether the gyroscope's range is shorter than rolling needs."""
        return any(end.known and end.top < _SHORT_RADPS for end in self.rate)

    def taken(self, samples: ImuSamples) -> Iterator[ImuSamples]:
        """The next readings; clipped ones marked as such, besides those that already are.

        A gyroscope whose range is too short is left out from where that shows, if there is an
        accelerometer: that alone is right where both are not.
        """
        short_before = self.too_short
        force, rate = self.look(samples)
        if samples.accel_mps2 is None or samples.gyro_radps is None or not self.too_short:
            yield _marked(samples, force | rate)
            return
        start = 0 if short_before else int(np.argmax(rate))
        if start:
            yield _marked(samples[:start], (force | rate)[:start])
        yield _force_alone(samples[start:], force[start:], rate[start:])

    def look(self, samples: ImuSamples) -> tuple[BoolArray, BoolArray]:
        """(n,) and (n,): which of the next readings of either sensor are at an end."""
        force, rate = samples.accel_mps2, samples.gyro_radps
        nothing = np.zeros(len(samples), dtype=bool)
        return (
            nothing if force is None else _reached(self.force, force),
            nothing if rate is None else _reached(self.rate, rate),
        )

    def again(self, samples: ImuSamples) -> ImuSamples:
        """Readings taken before, as they are seen now: what showed late holds from the start."""
        nothing = np.zeros(len(samples), dtype=bool)
        force = nothing if samples.accel_mps2 is None else _at(self.force, samples.accel_mps2)
        rate = nothing if samples.gyro_radps is None else _at(self.rate, samples.gyro_radps)
        if samples.accel_mps2 is not None and samples.gyro_radps is not None and self.too_short:
            return _force_alone(samples, force, rate)
        return _marked(samples, force | rate)


def _reached(ends: list[Ceiling], readings: FloatArray) -> BoolArray:
    clipped = np.zeros(len(readings), dtype=bool)
    if len(readings) and np.abs(readings).max() >= ends[0].least:
        for end, values in zip(ends, np.vstack([readings.T, -readings.T]), strict=True):
            clipped |= end.reached(values)
    else:
        for end in ends:
            end.alike = 0
    return clipped


def _at(ends: list[Ceiling], readings: FloatArray) -> BoolArray:
    clipped = np.zeros(len(readings), dtype=bool)
    for end, values in zip(ends, np.vstack([readings.T, -readings.T]), strict=True):
        clipped |= end.at(values)
    return clipped


def _marked(samples: ImuSamples, clipped: BoolArray) -> ImuSamples:
    if not clipped.any():
        return samples
    told = samples.clipped
    return replace(samples, clipped=clipped if told is None else clipped | told)


def _force_alone(samples: ImuSamples, force: BoolArray, rate: BoolArray) -> ImuSamples:
    """Without the gyroscope, and what was said to be clipped for its sake is not."""
    told = samples.clipped
    clipped = force if told is None else force | (told & ~rate)
    return replace(samples, gyro_radps=None, clipped=clipped if clipped.any() else None)
