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
    from rolltrack.core.sample import BoolArray, FloatArray, ImuSamples

_LEAST_MPS2, _LEAST_RADPS = 1.8 * G_MPS2, 4.2
"""The smallest ranges that sensors have, 2 g and 250 degrees/s, and a little less."""
_ALIKE = 3
"""Equal readings in a row that make a plateau."""
_PLATEAUS = {"force": 1, "rate": 2}
"""Before they are taken for the end of the range: at the turning point of a swing a coarse
gyroscope may well repeat itself once, but not at the same height again."""


@dataclass(slots=True)
class Ceiling:
    """The end of the range of one axis, in one direction, as far as it has shown.

    Attributes:
        least: below this there is none.
        needed: how many plateaus tell it.
        top: the most that was read.
        alike: how many of the last readings were equal to it, up to now.
        plateaus: how often it was read long enough.
    """

    least: float
    needed: int
    top: float = -np.inf
    alike: int = 0
    plateaus: int = 0

    def reached(self, values: FloatArray) -> BoolArray:
        """(n,) which of the next n readings are at the end of the range."""
        clipped = np.zeros(len(values), dtype=bool)
        last = -1
        for i in np.flatnonzero(values >= max(self.least, self.top)).tolist():
            value = float(values[i])
            if value < self.top:
                continue
            if value > self.top:
                self.top, self.alike, self.plateaus = value, 0, 0
            self.alike = self.alike + 1 if i == last + 1 else 1
            last = i
            if self.alike == _ALIKE:
                self.plateaus += 1
            clipped[i] = self.plateaus >= self.needed
        if last != len(values) - 1:
            self.alike = 0
        return clipped


def _ceilings(kind: str, least: float) -> list[Ceiling]:
    return [Ceiling(least, _PLATEAUS[kind]) for _ in range(6)]


@dataclass(slots=True)
class Range:
    """All ends of a sensor's ranges.

    Attributes:
        force: for each axis of the accelerometer, upwards and downwards.
        rate: the same of the gyroscope.
    """

    force: list[Ceiling] = field(default_factory=lambda: _ceilings("force", _LEAST_MPS2))
    rate: list[Ceiling] = field(default_factory=lambda: _ceilings("rate", _LEAST_RADPS))

    def mark(self, samples: ImuSamples) -> ImuSamples:
        """The same readings; clipped ones marked as such, besides those that already are."""
        clipped = np.zeros(len(samples), dtype=bool)
        for readings, ceilings in (
            (samples.accel_mps2, self.force),
            (samples.gyro_radps, self.rate),
        ):
            if readings is None:
                continue
            if not len(readings) or np.abs(readings).max() < ceilings[0].least:
                for each in ceilings:
                    each.alike = 0
                continue
            for axis, (up, down) in enumerate(zip(ceilings[:3], ceilings[3:], strict=True)):
                clipped |= up.reached(readings[:, axis])
                clipped |= down.reached(-readings[:, axis])
        if not clipped.any():
            return samples
        return replace(
            samples, clipped=clipped if samples.clipped is None else clipped | samples.clipped
        )


def all_marked(samples: ImuSamples) -> ImuSamples:
    """The same for a whole stretch: what showed late is known for the first plateaus, too."""
    known = Range()
    known.mark(samples)
    return known.mark(samples)
