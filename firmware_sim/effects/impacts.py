"""Knocks: the roller hits something or is hit, and is weightless for a moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from firmware_sim.limits import MeanGap, NotNegative, Positive, check_pairs
from firmware_sim.motion import GRAVITY_MPS2

if TYPE_CHECKING:
    from firmware_sim.motion import BodyMotion

_REACH = 5.0
"""A knock is over this many widths from its middle."""


class Impacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Knocks at random instants, each a short hop that ends where it began.

    Attributes:
        every_s: mean time between two of them.
        peak_g: limits between which the largest acceleration is drawn; about 1 leaves no weight.
        width_s: standard width of the hop; its middle, downwards, lasts twice that.
        lean_rad: standard deviation of its direction from the vertical.
    """

    every_s: MeanGap
    peak_g: tuple[NotNegative, NotNegative] = (0.8, 1.4)
    width_s: Positive = 0.015
    lean_rad: NotNegative = 0.2

    def __post_init__(self) -> None:
        """Refuse limits the wrong way round."""
        check_pairs(self, "peak_g")

    def apply(self, motion: BodyMotion, dice: np.random.Generator) -> BodyMotion:
        """Add the knocks; the acceleration of each is the second derivative of a Gaussian."""
        n, rate_hz = len(motion), motion.rate_hz
        t_s = np.arange(n) / rate_hz
        accel = motion.accel_mps2.copy()
        for middle_s in dice.uniform(0, t_s[-1], dice.poisson(t_s[-1] / self.every_s)):
            lean, peak_g = dice.normal(0, self.lean_rad), dice.uniform(*self.peak_g)
            reach_s = _REACH * self.width_s
            first, stop = np.searchsorted(t_s, [middle_s - reach_s, middle_s + reach_s])
            u = ((t_s[first:stop] - middle_s) / self.width_s) ** 2
            hop = -peak_g * GRAVITY_MPS2 * (1 - u) * np.exp(-u / 2)
            accel[first:stop] += np.outer(hop, [np.sin(lean), 0.0, np.cos(lean)])
        return replace(motion, accel_mps2=accel)
