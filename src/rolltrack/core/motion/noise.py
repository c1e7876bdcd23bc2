"""How noisy the readings and how lively the motion are, read off the current estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.ndimage import uniform_filter1d

from rolltrack.core.motion.short import median

if TYPE_CHECKING:
    from rolltrack.core.motion.normal import Predicted
    from rolltrack.core.sample import FloatArray

_WINDOW_S = 1.5
_BLOCK_S = 0.05
_FEWEST_BLOCKS = 6
_CLIP = 4.0
_MOST_COLOUR = 1.8
"""What is slower than that is motion which the spline does not follow yet, not noise."""
_QUIETEST_RADPS = 1.5e-4
"""Rounding to 16 bits over +-1000 degrees/s."""
_FOLLOWED = 1.4


def box(values: FloatArray, width: int, *, mirrored: bool = False) -> FloatArray:
    """Moving average of values (..., n), none negative; beyond the ends the last one is repeated.

    Mirrored, the ends see what lies before them instead: for a stretch that will go on.
    """
    # The filter keeps a running sum, which rounding may take just below zero.
    mode: Literal["reflect", "nearest"] = "reflect" if mirrored else "nearest"
    return np.maximum(uniform_filter1d(values, max(3, width), output=float, mode=mode), 0.0)


@dataclass(frozen=True, slots=True)
class NoiseRule:
    """How the two are told apart from each other.

    Attributes:
        floor_mps2: the quietest a sensor on a floor can be.
        change_floor_radps2: liveliest a slow hand is allowed to be, as a standard deviation of w'.
        change_per_rate: how much livelier per rad/s.
    """

    floor_mps2: float = 0.01
    change_floor_radps2: float = 0.3
    change_per_rate: float = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """Levels at N times.

    Attributes:
        sd_mps2: (N,) of each component of the specific force, colour included.
        change_sd_radps2: (N,) of w' under the process prior.
        colour: factor by which neighbouring residuals add up worse than white ones.
    """

    sd_mps2: FloatArray
    change_sd_radps2: FloatArray
    colour: float


def measure(
    model: Predicted,
    period_s: float,
    rule: NoiseRule,
    colour: float | None = None,
    *,
    mirrored: bool = False,
) -> Noise:
    """Read both levels off an estimate.

    The angle can absorb tangential residuals, so only the radial one is honest about the noise.
    Vibration is not white: the variance of its block means over 50 ms tells by how much.

    Args:
        model: the estimate at N times.
        period_s: sampling period.
        rule: floors and proportions.
        colour: known from before, else measured here.
        mirrored: what lies before the ends stands for what lies beyond.
    """
    width = round(_WINDOW_S / period_s)
    radial = (model.residual * np.exp(-1j * model.angle)).real
    power = radial**2
    power = np.minimum(power, _CLIP**2 * median(power) + 0.05**2)
    squares = np.stack([power, model.rate**2, model.change**2])
    power, rate, change = box(squares, width, mirrored=mirrored)
    sd = np.sqrt(power + rule.floor_mps2**2)
    colour = colour_of(radial / sd, period_s) if colour is None else colour
    liveliest = rule.change_floor_radps2 + rule.change_per_rate * np.sqrt(rate)
    change = np.sqrt(1.5 * change + liveliest**2)
    return Noise(sd * colour, change, colour)


def measure_rate(
    residual_radps: FloatArray, period_s: float, *, mirrored: bool = False
) -> FloatArray:
    """(N,) noise of a gyroscope from what an estimate leaves of it, (N,).

    The spline follows about half of white noise at its knots' spacing; that is put back.
    """
    power = residual_radps**2
    power = np.minimum(power, _CLIP**2 * median(power) + _QUIETEST_RADPS**2)
    sd: FloatArray = _FOLLOWED * np.sqrt(
        box(power, round(_WINDOW_S / period_s), mirrored=mirrored) + _QUIETEST_RADPS**2
    )
    return sd


def colour_of(unit_residual: FloatArray, period_s: float) -> float:
    """Root of low-frequency over white density of a residual of unit variance; 1 or more."""
    length = max(2, round(_BLOCK_S / period_s))
    blocks = len(unit_residual) // length
    if blocks < _FEWEST_BLOCKS:
        return 1.0
    clipped = np.clip(unit_residual[: blocks * length], -_CLIP, _CLIP)
    means = clipped.reshape(blocks, length).mean(axis=1)
    ratio = length * float(np.var(means)) / max(float(np.var(clipped)), 1e-12)
    return float(np.sqrt(np.clip(ratio, 1.0, _MOST_COLOUR**2)))
