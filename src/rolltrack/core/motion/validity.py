"""Where the rolling model cannot hold, the answer is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.noise import box
from rolltrack.core.motion.phase import DEMODULATION_WINDOW

if TYPE_CHECKING:
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.sample import BoolArray, FloatArray, ImuSamples

_LEAST_FORCE = 0.3 * G_MPS2
_MOST_FORCE = 2.0 * G_MPS2
_VAGUE_MPS, _VAGUE_SHARE = 0.025, 0.25
_CLUSTER = 3.5
"""Width in no-slip times over which residuals must stay small."""
_SURPRISE = 14.0
"""Mean squared residual, in variances, beyond which the model does not hold."""
_WORST = 30.0
_SMALL_MPS2 = 0.15 * G_MPS2
_BUMPS_PER_M = 10.0
"""Bumps 0.2 mm high and 4 cm apart shake by about 5 / m times the speed squared, peak."""


def plausible_force(force: ComplexArray, tau_s: float, period_s: float) -> BoolArray:
    """(n,) where the specific force across the axle is about gravity's size.

    Readings in g, without gravity, in free fall or in a hard knock are not.
    """
    size = np.abs(force)
    width = round(DEMODULATION_WINDOW * tau_s / period_s)
    around = box(size, width)
    plausible: BoolArray = (size > _LEAST_FORCE) & (around > _LEAST_FORCE) & (around < _MOST_FORCE)
    return plausible


def model_holds(
    z: ComplexArray,
    residual: ComplexArray,
    noise_sd_mps2: FloatArray,
    speed_mps: FloatArray,
    tau_s: float,
    period_s: float,
) -> BoolArray:
    """(n,) where the readings are of gravity's size and the model explains them.

    A fast stroke over bumps surprises too, but what it leaves over is small beside gravity, or
    beside what bumps do at that speed.

    Args:
        z: (n,) specific force across the axle.
        residual: (n,) what the model leaves over of it.
        noise_sd_mps2: (n,) what it should leave over.
        speed_mps: (n,) how fast it is.
        tau_s: the no-slip time.
        period_s: between two readings.
    """
    size = np.minimum(np.abs(residual), G_MPS2)
    surprise = np.minimum((size / noise_sd_mps2) ** 2, _WORST)
    width = round(_CLUSTER * tau_s / period_s)
    small_mps2 = _SMALL_MPS2 + _BUMPS_PER_M * box(speed_mps**2, width)
    holds = (box(surprise, width) < _SURPRISE) | (box(size, width) < small_mps2)
    valid: BoolArray = plausible_force(z, tau_s, period_s) & holds
    return valid


def where_valid(
    samples: ImuSamples,
    rate_radps: FloatArray,
    rate_sd_radps: FloatArray,
    radius_m: float,
    valid: BoolArray,
    blur_radps: FloatArray | None = None,
) -> Motion:
    """Rate times radius; unknown where not valid or where a reading hit the sensor's full scale.

    Unknown, too, where the error could be as large as the speed itself, as at a cold start.
    """
    speed, sd = radius_m * rate_radps, radius_m * rate_sd_radps
    valid = valid & (sd < _VAGUE_MPS + _VAGUE_SHARE * np.abs(speed))
    if samples.clipped is not None:
        valid = valid & ~samples.clipped
    return Motion(
        samples.t_s,
        np.where(valid, speed, np.nan),
        np.where(valid, sd, np.nan),
        valid,
        blur_mps=None if blur_radps is None else radius_m * blur_radps,
    )
