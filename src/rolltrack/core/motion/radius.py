"""Which rolling radii there are; every speed is proportional to one."""

from __future__ import annotations

LEAST_RADIUS_M, MOST_RADIUS_M = 0.005, 1.0
"""From massage balls to the largest wheels; millimetres taken for metres lie far outside."""

RADII = f"{LEAST_RADIUS_M:g} to {MOST_RADIUS_M:g} m"
"""As written in errors."""


def is_radius(radius_m: float) -> bool:
    """Whether anything that rolls has such a radius; NaN is none."""
    return LEAST_RADIUS_M <= radius_m <= MOST_RADIUS_M
