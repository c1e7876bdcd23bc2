"""How noisy the readings and how lively the motion are, read off the current estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.ndimage import uniform_filter1d

from rolltrack.core.motion.short import median

if TYPE_CHECKING:
    from rolltrack.core.motion.normal import Predicted
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.sample import FloatArray

_WINDOW_S = 1.5
_LATELY_S, _MOST_LATELY_MPS2 = 0.5, 0.5
"""Floors are heard at once when a push begins; what is louder at once is a model gone wrong."""
_BLOCK_S = 0.05
_FEWEST_BLOCKS = 6
_CLIP = 4.0
_MOST_COLOUR, _COLOUR_PERIOD_S = 1.8, 0.01
"""At 100 Hz. What is slower than that is motion which the spline does not follow yet, not noise."""
_QUIETEST_RADPS, _UNHEARD_RADPS = 1.5e-4, 0.02
"""Rounding to 16 bits over +-1000 degrees/s; and the noise of a gyroscope nobody has heard yet."""
_FEWEST_TO_HEAR = 3
_BUMPS_PER_M = 0.5
"""From so much times the speed squared on, what shakes is the floor: bumps 0.1 mm high and 2 cm
apart shake by ten times as much at most, and much of that is too quick to be felt."""
_FOLLOWED = 1.4
_SLOW_BLOCK_S, _MOST_SLOW_COLOUR = 0.2, 12.0
"""With a gyroscope slow residuals are no motion, but a model that does not hold."""
_TIMES_WHITE, _BUMP = 3.0, 16.0
"""Second differences beyond so many medians are no noise."""


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
    change_floor_radps2: float = 0.5
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
    turning_known: bool = False,
    mirrored: bool = False,
    guessed: int = 0,
) -> Noise:
    """Read both levels off an estimate.

    The angle can absorb tangential residuals, so only the radial one is honest about the noise,
    unless a gyroscope holds the angle.
    Vibration is not white: the variance of its block means over 50 ms tells by how much.

    Args:
        model: the estimate at N times.
        period_s: sampling period.
        rule: floors and proportions.
        colour: known from before, else measured here.
        turning_known: there is a gyroscope.
        mirrored: what lies before the ends stands for what lies beyond.
        guessed: how many of the newest w' are a guess; what lies before stands for them.
    """
    width = round(_WINDOW_S / period_s)
    honest = model.aligned if turning_known else model.aligned.real
    power = np.abs(honest) ** 2 * (0.5 if turning_known else 1.0)
    usual = median(power)
    if mirrored:
        lately = median(power[-max(1, round(_LATELY_S / period_s)) :])
        usual = max(usual, min(lately, _MOST_LATELY_MPS2**2))
    power = np.minimum(power, _CLIP**2 * usual + 0.05**2)
    livelier = model.change**2
    if 0 < guessed < len(livelier) // 2:
        livelier[-guessed:] = livelier[-2 * guessed : -guessed][::-1]
    squares = np.array([power, model.rate**2, livelier])
    power, rate, change = box(squares, width, mirrored=mirrored)
    sd = np.sqrt(power + rule.floor_mps2**2)
    if colour is None:
        colour = colour_of(honest / sd, period_s)
    liveliest = rule.change_floor_radps2 + rule.change_per_rate * np.sqrt(rate)
    change = np.sqrt(1.5 * change + liveliest**2)
    return Noise(sd * colour, change, colour)


def shaken_more(model: Predicted, noise: Noise, radius_m: float, period_s: float) -> FloatArray:
    """(N,) by how much bumps at speed are louder than the levels that an estimate was made with.

    The levels hold for a second and a half, and in a session that was slow for the most part what
    is loud counts as a knock there. But bumps shake by the square of the speed: where it is fast
    now, they are louder than around.
    """
    power = model.aligned.real**2
    width = round(_WINDOW_S / period_s)
    louder = median(power) + (_BUMPS_PER_M * radius_m * radius_m * model.rate**2) ** 2
    power = box(np.minimum(power, _CLIP**2 * louder + 0.05**2), width)
    heard = noise.colour * np.sqrt(power * louder / box(louder, width))
    more: FloatArray = np.maximum(1.0, heard / noise.sd_mps2)
    return more


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


def lengthened(values: FloatArray, count: int) -> FloatArray:
    """(count,) values, the last one repeated: for readings that say nothing about noise yet."""
    return np.concatenate([values, np.full(count - len(values), values[-1])])


def noisiest_radps(rate_radps: FloatArray) -> float:
    """The most noise to put down to a gyroscope that reads (n,).

    What an estimate leaves beyond a few times its white noise is no noise, but an accelerometer
    that the model does not fit.
    """
    return _TIMES_WHITE * white_radps(rate_radps)


def white_radps(rate_radps: FloatArray) -> float:
    """White noise of a rate (n,), read off its second differences, where motion hardly shows."""
    power = np.diff(rate_radps, 2) ** 2 / 6.0
    if len(power) < _FEWEST_TO_HEAR:
        return _UNHEARD_RADPS
    power = np.minimum(power, _BUMP * median(power) + _QUIETEST_RADPS**2)
    return float(np.sqrt(np.mean(power) + _QUIETEST_RADPS**2))


def colour_of(unit_residual: FloatArray | ComplexArray, period_s: float) -> float:
    """Root of low-frequency over white density of residuals of unit variance; 1 or more.

    Args:
        unit_residual: (N,) along gravity; complex, if what is across it is known apart from motion.
        period_s: sampling period.
    """
    # Sampled faster, the same vibration is less white.
    most = _MOST_COLOUR * max(1.0, float(_COLOUR_PERIOD_S / period_s) ** 0.25)
    if not np.iscomplexobj(unit_residual):
        return _colour(unit_residual.real, period_s, _BLOCK_S, most)
    parts = np.array([unit_residual.real, unit_residual.imag])
    fast = _colour(parts, period_s, _BLOCK_S, most)
    return max(fast, _colour(parts, period_s, _SLOW_BLOCK_S, _MOST_SLOW_COLOUR))


def _colour(residual: FloatArray, period_s: float, block_s: float, most: float) -> float:
    length = max(2, round(block_s / period_s))
    blocks = residual.shape[-1] // length
    if blocks < _FEWEST_BLOCKS:
        return 1.0
    clipped = np.clip(residual[..., : blocks * length], -_CLIP, _CLIP)
    means = clipped.reshape(*residual.shape[:-1], blocks, length).mean(axis=-1)
    ratio = length * float(np.mean(means**2)) / max(float(np.mean(clipped**2)), 1e-12)
    return float(np.sqrt(np.clip(ratio, 1.0, most**2)))
