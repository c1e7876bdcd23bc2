"""With a gyroscope, speed is radius times the rate about the axle, less the bias seen at rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.constants import FASTEST_RADPS
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.noise import white_radps
from rolltrack.core.motion.validity import where_valid

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.sample import FloatArray, ImuSamples

_SCALE_SHARE = 0.01
"""Gyroscopes over- or under-read by about this much; real ones were seen 0.4 to 1.6 % off."""
_UNSEEN_BIAS_RADPS, _BIAS_DRIFT_RADPS = 0.05, 3e-4
"""How wrong the bias may be before the roller has rested once, and after."""
_SURELY = 3.0


def from_gyroscope(
    samples: ImuSamples, rate_radps: FloatArray, finder: AxleFinder, radius_m: float
) -> Motion:
    """Speed at every reading; rate_radps is (n, 3). Unknown while the axle is not known.

    Scale and bias are wrong by the same amount all the time: their error does not average out.
    Until the roller has rested once, a rate that may be all bias is none.
    """
    axle = finder.axle
    if axle is None:
        return Motion.unknown(samples.t_s)
    rate = (rate_radps - finder.rate_bias_radps) @ axle
    bias_sd = _BIAS_DRIFT_RADPS if finder.has_rested else _UNSEEN_BIAS_RADPS
    sd = np.sqrt(white_radps(rate) ** 2 + bias_sd**2 + (_SCALE_SHARE * rate) ** 2)
    valid = np.abs(rate) < FASTEST_RADPS
    if not finder.has_rested:
        valid &= np.abs(rate) > _SURELY * _UNSEEN_BIAS_RADPS
    motion = where_valid(samples, rate, sd, radius_m, valid)
    return replace(motion, error_memory_s=np.inf)
