"""Muscles are never quite still: the body on the roller trembles, holds or not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from firmware_sim.limits import Hertz, NotNegative, check_band
from firmware_sim.noise import band_noise

if TYPE_CHECKING:
    import numpy as np

    from firmware_sim.motion import BodyMotion


class Tremor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Acceleration that never stops, equal in all directions.

    Attributes:
        rms_mps2: standard deviation along each axis.
        band_hz: where it lies; physiological tremor is between 6 and 12 Hz.
    """

    rms_mps2: NotNegative
    band_hz: tuple[Hertz, Hertz] = (6.0, 12.0)

    def __post_init__(self) -> None:
        """Refuse a band without width."""
        check_band(self)

    def apply(self, motion: BodyMotion, dice: np.random.Generator) -> BodyMotion:
        """Shake the motion."""
        shaking = band_noise(len(motion), motion.rate_hz, self.band_hz, dice, 3)
        return replace(motion, accel_mps2=motion.accel_mps2 + self.rms_mps2 * shaking)
