"""Units that people write into headers -> SI."""

from __future__ import annotations

import math
from typing import Final

STANDARD_GRAVITY_MPS2: Final = 9.80665

TIME: Final = {"s": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
ACCEL: Final = {
    "m/s^2": 1.0, "m/s2": 1.0, "m/s²": 1.0, "m/s/s": 1.0, "ms^-2": 1.0, "mps2": 1.0,
    "g": STANDARD_GRAVITY_MPS2, "mg": STANDARD_GRAVITY_MPS2 * 1e-3,
}  # fmt: skip
GYRO: Final = {
    "rad/s": 1.0, "rads": 1.0, "radps": 1.0, "mrad/s": 1e-3,
    "deg/s": math.pi / 180, "dps": math.pi / 180, "°/s": math.pi / 180, "degrees/s": math.pi / 180,
    "mdps": math.pi / 180e3,
}  # fmt: skip


def scale(units: dict[str, float], unit: str) -> float | None:
    """Factor to SI; None for a unit that is not known."""
    plain = unit.lower().replace(" ", "").replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")
    return units.get(plain, units.get(plain.replace("sec", "s")))
