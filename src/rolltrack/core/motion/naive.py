"""The obvious reading of an accelerometer in a roller, kept as the baseline to beat.

Unwrap the angle of gravity, differentiate. It differentiates phi = theta - tau^2 theta'' instead of
theta and so over-reads a stroke of angular frequency w by (1 + tau^2 w^2): 10-60 % at the peaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import savgol_filter

from rolltrack.core.motion.phase import in_plane, plane_across

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

_WINDOW_S = 0.3


def naive_speed_mps(
    t_s: FloatArray, accel_mps2: FloatArray, axle: FloatArray, radius_m: float
) -> FloatArray:
    """Signed surface speed by atan2, unwrap and a Savitzky-Golay derivative over 0.3 s.

    Args:
        t_s: (n,) about evenly spaced.
        accel_mps2: (n, 3) specific force.
        axle: (3,) unit vector.
        radius_m: rolling radius.

    Returns:
        (n,) m/s.
    """
    period_s = float(np.median(np.diff(t_s)))
    window = max(5, 2 * round(_WINDOW_S / period_s / 2) + 1)
    phase = np.unwrap(np.angle(in_plane(accel_mps2, plane_across(axle))))
    return np.asarray(radius_m * savgol_filter(phase, window, 2, deriv=1, delta=period_s))
