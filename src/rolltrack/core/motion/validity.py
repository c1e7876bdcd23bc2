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
_MOST_RESIDUAL = 0.25 * G_MPS2


def plausible_force(force: ComplexArray, tau_s: float, period_s: float) -> BoolArray:
    """(n,) where the specific force across the axle is about gravity's size.

    Readings in g, without gravity, in free fall or in a hard knock are not.
    """
    size = np.abs(force)
    width = round(DEMODULATION_WINDOW * tau_s / period_s)
    around = box(size, width)
    plausible: BoolArray = (size > _LEAST_FORCE) & (around > _LEAST_FORCE) & (around < _MOST_FORCE)
    return plausible


def explained(residual_mps2: FloatArray, tau_s: float, period_s: float) -> BoolArray:
    """(n,) where what gravity's turning leaves over is small enough for the model to hold."""
    width = round(2 * DEMODULATION_WINDOW * tau_s / period_s)
    around = box(np.abs(residual_mps2), width)
    holds: BoolArray = around < _MOST_RESIDUAL
    return holds


def where_valid(
    samples: ImuSamples,
    rate_radps: FloatArray,
    rate_sd_radps: FloatArray,
    radius_m: float,
    valid: BoolArray,
) -> Motion:
    """Rate times radius; unknown where not valid or where a reading hit the sensor's full scale."""
    if samples.clipped is not None:
        valid = valid & ~samples.clipped
    return Motion(
        samples.t_s,
        np.where(valid, radius_m * rate_radps, np.nan),
        np.where(valid, radius_m * rate_sd_radps, np.nan),
        valid,
    )
