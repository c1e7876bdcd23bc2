"""Numbers of the physics and of time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

G_MPS2 = 9.80665
"""Standard gravity."""

KNOCK_MPS2 = 3.0 * G_MPS2
"""No hand pushes a roller so hard; such a reading is a knock, or none at all."""

FASTEST_RADPS = 40.0
"""No hand turns a roller faster."""

ROUNDING_S = 1e-6
"""Times this close are the same: sums of periods round off."""

MAX_LATENCY_S = 0.3
"""The live speed for an instant is said at most this much later, or not at all."""


def no_slip_time_s(radius_m: float) -> float:
    """Tau = sqrt(R / g): how far rolling without slip smears the gravity phase in time.

    A cylinder's own acceleration R*theta'' adds to gravity, so the phase the accelerometer shows is
    theta - tau^2 * theta'' for small tau^2 * theta''.
    """
    return math.sqrt(radius_m / G_MPS2)


def mean_period_s(t_s: FloatArray) -> float:
    """Mean time between n >= 2 readings."""
    return float(t_s[-1] - t_s[0]) / (len(t_s) - 1)
