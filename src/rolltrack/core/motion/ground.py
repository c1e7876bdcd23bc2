"""How the roller's own acceleration lies to gravity, which a gyroscope lets us see.

A roller that rolls accelerates by R w' along what it rolls on. The model takes that across gravity,
as on a level floor; on a wall it is along gravity, and a roller that spins on the spot does not
accelerate at all. That is one complex number, the `ground`: 1 on a level floor, i or -i on a wall,
0 on the spot. With the turning known, all of it shows. Without a gyroscope the angle absorbs what
the acceleration does across gravity, and nobody can tell sliding or spinning from rolling. But what
it does along gravity tells a wall from a floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.constants import G_MPS2

if TYPE_CHECKING:
    from rolltrack.core.motion.normal import Predicted, Readings
    from rolltrack.core.sample import FloatArray

LEVEL = 1.0 + 0.0j
_FLOOR_PRECISION = 25.0
"""Floors are level, to begin with, within 0.2."""
_NEARLY = 0.15
"""A slope this small, or a radius this wrong, is left to the other constants."""
_WALL = 0.4
"""Sine of a slope beyond which it is rather a wall than a floor, which shows up to 0.3 live."""
_SURE = 6.0
"""Standard deviations; vibration has colour, so these are fewer than they seem."""
_PUSH_MPS2 = 0.1 * G_MPS2
_MOST_PRECISION = 30.0
"""Harder pushes and single moments tell no more than this: a lost angle looks like a hard push."""


@dataclass(frozen=True, slots=True)
class GroundSeen:
    """What readings say about the ground: sums that add up.

    Attributes:
        pull: precision times ground; without a gyroscope its imaginary part, the slope, only.
        precision: of both parts.
        turning_known: whether there was a gyroscope.
    """

    pull: complex = 0.0j
    precision: float = 0.0
    turning_known: bool = False

    def and_later(self, later: GroundSeen, kept: float = 1.0) -> GroundSeen:
        """Both, of what was seen before only the share that is kept."""
        pull, precision = kept * self.pull + later.pull, kept * self.precision + later.precision
        return GroundSeen(pull, precision, later.turning_known)

    def briefly(self) -> GroundSeen:
        """The same from a stretch so short that its angle may have been lost all along."""
        if self.turning_known or self.precision < _MOST_PRECISION:
            return self
        return GroundSeen(self.pull * _MOST_PRECISION / self.precision, _MOST_PRECISION)

    @property
    def ground(self) -> complex:
        """Level while nothing speaks against it."""
        if self.turning_known:
            total = self.precision + _FLOOR_PRECISION
            ground = (self.pull + _FLOOR_PRECISION * LEVEL) / total
            return LEVEL if abs(ground - LEVEL) < _NEARLY else ground
        sine = self.pull.imag / (self.precision + _FLOOR_PRECISION)
        sure = abs(self.pull.imag) > _SURE * np.sqrt(self.precision)
        return complex(0.0, np.sign(sine)) if sure and abs(sine) > _WALL else LEVEL


NOTHING_SEEN = GroundSeen()


def ground_seen(model: Predicted, readings: Readings, weight: FloatArray) -> GroundSeen:
    """What N readings say about the ground.

    Args:
        model: the motion as estimated so far.
        readings: what was measured.
        weight: (N,) inverse variances.
    """
    if readings.rate_radps is not None:
        rolling = G_MPS2 * readings.k_s2 * model.change
        turned = 1j * model.aligned + readings.ground * rolling
        pull = complex(np.sum(weight * rolling * turned))
        return GroundSeen(pull, float(np.sum(weight * rolling**2)), turning_known=True)
    # The estimated w' has absorbed vibration; the smoothed one has less of it.
    rolling = -G_MPS2 * readings.k_s2 * model.lever.imag
    along = model.aligned.real + readings.ground.imag * rolling
    weight = weight * np.minimum(1.0, (_PUSH_MPS2 / np.maximum(np.abs(rolling), _PUSH_MPS2)) ** 2)
    pull = 1j * float(np.sum(weight * rolling * along))
    return GroundSeen(pull, float(np.sum(weight * rolling**2)))
