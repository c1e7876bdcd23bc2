"""The sensor is not in the roller but on the body that lies on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from scipy.spatial.transform import Rotation

from firmware_sim.limits import Hertz, NotNegative, check_band
from firmware_sim.motion import AT_ANGLE_0, angular_rate_of, derivative
from firmware_sim.noise import band_noise

if TYPE_CHECKING:
    from firmware_sim.motion import BodyMotion


class Worn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A phone in a pocket or a strap: no rolling, and twice the roller's translation.

    The roller's top moves at twice the speed of its axle, and the body lies on its top.

    Attributes:
        sway_rad: standard deviation of the body's slow leaning about each axis.
        band_hz: how fast it leans.
    """

    sway_rad: NotNegative = 0.02
    band_hz: tuple[Hertz, Hertz] = (0.1, 0.6)

    def __post_init__(self) -> None:
        """Refuse a band without width."""
        check_band(self)

    def apply(self, motion: BodyMotion, dice: np.random.Generator) -> BodyMotion:
        """Replace the turn by leaning and double the translation."""
        n, rate_hz = len(motion), motion.rate_hz
        lean = self.sway_rad * band_noise(n, rate_hz, self.band_hz, dice, 3)
        to_world = Rotation.from_rotvec(lean).as_matrix() @ AT_ANGLE_0
        rate = angular_rate_of(to_world, rate_hz)
        accel = motion.accel_mps2 * np.array([2.0, 1.0, 1.0])
        return replace(
            motion,
            to_world=to_world,
            accel_mps2=accel,
            rate_radps=rate,
            rate_change_radps2=derivative(rate, rate_hz),
            rolling=np.zeros(n, dtype=bool),
        )
