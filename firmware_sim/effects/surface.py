"""What the roller rolls on: a level floor, one that slopes along the axle, or a wall."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from firmware_sim.limits import Angle

if TYPE_CHECKING:
    from firmware_sim.motion import BodyMotion


class Surface(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where gravity points, seen from the surface.

    Attributes:
        kind: "floor" rolls across gravity, "wall" along it: +x is up.
        axle_slope_rad: angle of the axle against the horizontal.
    """

    kind: Literal["floor", "wall"] = "floor"
    axle_slope_rad: Angle = 0.0

    def apply(self, motion: BodyMotion, _dice: np.random.Generator) -> BodyMotion:
        """Turn gravity instead of the surface."""
        cos, sin = float(np.cos(self.axle_slope_rad)), float(np.sin(self.axle_slope_rad))
        up = [0.0, sin, cos] if self.kind == "floor" else [cos, sin, 0.0]
        return replace(motion, up=np.array(up))
