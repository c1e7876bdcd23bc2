"""The roller does not move as far as its surface: it slides, or spins on the spot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np

from firmware_sim.limits import MeanGap, Positive
from firmware_sim.motion import derivative
from firmware_sim.noise import ease

if TYPE_CHECKING:
    from firmware_sim.motion import BodyMotion
    from firmware_sim.trace import FloatArray

_EASE_S = 0.1
"""Grip is lost and found again within this time, at most half of what lies between."""


class Slip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Translation that differs from rolling.

    Attributes:
        slide: centre's speed beyond the surface's, as a share of it: 0.3 slides along by 30 %,
            -1 spins on the spot.
        every_s: mean time between two episodes of a roller; without it, it slips all the time.
        lasts_s: how long an episode is.
    """

    slide: Annotated[float, msgspec.Meta(ge=-2, le=10)]
    every_s: MeanGap | None = None
    lasts_s: Positive = 0.5

    def apply(self, motion: BodyMotion, dice: np.random.Generator) -> BodyMotion:
        """Scale the translation along the way; the surface's speed stays what the turn says."""
        accel = motion.accel_mps2.copy()
        if self.every_s is None:
            accel[:, :2] *= np.where(motion.rolling, 1.0 + self.slide, 1.0)[:, None]
        else:
            share = self._episodes(len(motion), motion.rate_hz, self.every_s, dice)
            beyond_mps = np.where(motion.rolling, share * motion.speed_mps, 0.0)
            accel[:, 0] += derivative(beyond_mps, motion.rate_hz)
        return replace(motion, accel_mps2=accel)

    def _episodes(
        self, n: int, rate_hz: float, every_s: float, dice: np.random.Generator
    ) -> FloatArray:
        """(n,) how much it slides at each instant."""
        share, length = np.zeros(n), round(self.lasts_s * rate_hz)
        window = self.slide * ease(length, round(_EASE_S * rate_hz))
        for first in dice.integers(0, n, dice.poisson(n / rate_hz / every_s)):
            stop = min(first + length, n)
            share[first:stop] = window[: stop - first]
        return share
