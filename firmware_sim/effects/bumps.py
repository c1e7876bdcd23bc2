"""The surface is not smooth: its height rises and falls with the distance rolled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np

from firmware_sim.limits import NotNegative
from firmware_sim.motion import derivative

if TYPE_CHECKING:
    from firmware_sim.motion import BodyMotion
    from firmware_sim.trace import FloatArray

_WAVES = 24


class Bumps(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bumps that lift the roller's centre; rolling back meets the same ones again.

    They come by the distance the surface turns, as the roller's own do: spinning meets them, too.

    Attributes:
        height_m: amplitude of a wave as large as the bumps.
        pitch_m: from one bump to the next; of irregular bumps about the middle.
        regular: the pattern of a grid roller, instead of a mat's or a floor's.
    """

    height_m: NotNegative
    pitch_m: Annotated[float, msgspec.Meta(ge=0.001, le=1)] = 0.02
    regular: bool = False

    def apply(self, motion: BodyMotion, dice: np.random.Generator) -> BodyMotion:
        """Lift the centre; its acceleration is that of the height over time."""
        steps_m = np.where(motion.rolling, motion.speed_mps, 0.0) / motion.rate_hz
        height = self._height_m(np.cumsum(steps_m) - steps_m / 2, dice)
        accel = motion.accel_mps2.copy()
        accel[:, 2] += derivative(derivative(height, motion.rate_hz), motion.rate_hz)
        return replace(motion, accel_mps2=accel)

    def _height_m(self, place_m: FloatArray, dice: np.random.Generator) -> FloatArray:
        """(n,) height at each place: one wave, or many of lengths between half and twice."""
        phases = dice.uniform(0, 2 * np.pi, _WAVES)
        if self.regular:
            return np.asarray(
                self.height_m * np.cos(2 * np.pi * place_m / self.pitch_m + phases[0])
            )
        lengths_m = self.pitch_m * 2.0 ** dice.uniform(-1, 1, _WAVES)
        height = np.zeros_like(place_m)
        for length_m, phase in zip(lengths_m, phases, strict=True):
            height += np.cos(2 * np.pi * place_m / length_m + phase)
        return np.asarray(self.height_m * height / np.sqrt(_WAVES))
