"""What is not known at the ends of a stretch, for want of a past or a future."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.noise import box

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

NEWEST = 2.3
"""In no-slip times: so near an end w' is a guess."""


def unforeseen_radps(
    away_s: FloatArray, change: FloatArray, tau_s: float, period_s: float
) -> FloatArray:
    """(N,) how wrong the rate may be so far from an end, from w' (N,).

    Beyond the end w' may differ by as much as it is; through the no-slip equation, theta - tau^2
    theta'', that matters e times less a no-slip time away.
    """
    lively = np.sqrt(box(change**2, round(NEWEST * tau_s / period_s)))
    return np.asarray(tau_s * lively * np.exp(-away_s / tau_s))
