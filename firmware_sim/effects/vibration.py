"""The floor shakes the roller while it rolls: hair, weave and grain, faster than any stroke."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from firmware_sim.limits import Hertz, NotNegative, Part, Positive, check_band
from firmware_sim.noise import band_noise

if TYPE_CHECKING:
    from firmware_sim.motion import BodyMotion


class Vibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Acceleration that grows with speed, equal in all directions.

    Attributes:
        rms_mps2: standard deviation along each axis at full speed or faster.
        full_speed_mps: where it stops growing.
        at_rest: share of it that is there at rest, from the body that lies on the roller.
        band_hz: where it lies.
    """

    rms_mps2: NotNegative
    full_speed_mps: Positive = 0.02
    at_rest: Part = 0.3
    band_hz: tuple[Hertz, Hertz] = (2.0, 15.0)

    def __post_init__(self) -> None:
        """Refuse a band without width."""
        check_band(self)

    def apply(self, motion: BodyMotion, dice: np.random.Generator) -> BodyMotion:
        """Shake the motion."""
        speed = np.minimum(np.abs(motion.speed_mps) / self.full_speed_mps, 1.0)
        envelope = self.rms_mps2 * (self.at_rest + (1.0 - self.at_rest) * speed)
        shaking = band_noise(len(motion), motion.rate_hz, self.band_hz, dice, 3)
        return replace(motion, accel_mps2=motion.accel_mps2 + envelope[:, None] * shaking)
