"""SI -> what is printed on the wire."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_LEAST_MM = 0.01


def unix_ms(unix_s: float) -> int:
    """Unix seconds -> Unix milliseconds."""
    return round(unix_s * 1000)


def rfc3339(unix_s: float) -> str:
    """Unix seconds -> `2026-11-23T10:13:20.123Z`."""
    moment = datetime.fromtimestamp(unix_ms(unix_s) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def mm_or_none(value_m: float | None) -> float | None:
    """Metres (per second) -> mm (per second) without sign, to 0.1; None when not known."""
    return None if value_m is None or not math.isfinite(value_m) else mm(value_m)


def error_mm_or_none(sd_m: float | None) -> float | None:
    """A standard deviation to 0.01 mm (per second), never 0: nothing is known without an error."""
    if sd_m is None or not math.isfinite(sd_m):
        return None
    return max(round(1000 * sd_m, 2), _LEAST_MM)


def mm(value_m: float) -> float:
    """Metres (per second) -> mm (per second) without sign, to 0.1."""
    return round(abs(value_m) * 1000, 1)


def rounded(value: float | None, digits: int) -> float | None:
    """A number to so many digits; None when not known."""
    return None if value is None else round(value, digits)
