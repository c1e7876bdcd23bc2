"""The roller does not move as far as its surface: it slides, or spins on the spot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from firmware_sim.motion import BodyMotion


class Slip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Translation that differs from rolling.

    Attributes:
        slide: centre's speed beyond the surface's, as a share of it: 0.3 slides along by 30 %,
            -1 spins on the spot.
    """

    slide: float

    def apply(self, motion: BodyMotion, _dice: np.random.Generator) -> BodyMotion:
        """Scale the translation along the way; the surface's speed stays what the turn says."""
        accel = motion.accel_mps2.copy()
        accel[:, 0] *= np.where(motion.rolling, 1.0 + self.slide, 1.0)
        return replace(motion, accel_mps2=accel)
