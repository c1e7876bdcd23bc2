"""How the roller's own acceleration lies to gravity, which a gyroscope lets us see.

A roller that rolls accelerates by R w' along what it rolls on. The model takes that across gravity,
as on a level floor; on a wall it is along gravity, and a roller that spins on the spot does not
accelerate at all. With the turning known, that is one complex number, the `ground`: 1 on a level
floor, i or -i on a wall, 0 on the spot. Without a gyroscope the angle absorbs the difference, and
nobody can tell.
"""

from __future__ import annotations

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


def ground_seen(model: Predicted, readings: Readings, weight: FloatArray) -> tuple[complex, float]:
    """What N readings say about the ground: precision times ground, and precision.

    Args:
        model: the motion as estimated so far.
        readings: what was measured.
        weight: (N,) inverse variances.
    """
    rolling = G_MPS2 * readings.k_s2 * model.change
    turned = 1j * model.aligned + readings.ground * rolling
    return complex(np.sum(weight * rolling * turned)), float(np.sum(weight * rolling**2))


def ground_of(seen: tuple[complex, float]) -> complex:
    """The ground, from sums of what `ground_seen` says; level while nothing speaks against it."""
    pull, precision = seen
    ground = (pull + _FLOOR_PRECISION * LEVEL) / (precision + _FLOOR_PRECISION)
    return LEVEL if abs(ground - LEVEL) < _NEARLY else ground
