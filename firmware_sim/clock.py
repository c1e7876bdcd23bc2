"""The roller's own clock: it starts where it likes, runs a little fast or slow, and wraps."""

from __future__ import annotations

from dataclasses import dataclass

WRAP_US = 2**32


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """Converts true time since power-on into what the roller believes.

    Attributes:
        offset_us: reading at power-on.
        drift_ppm: how much too fast the crystal runs.
        speed: how many device seconds pass in a true one; 1 unless a replay is hurried.
    """

    offset_us: int = 0
    drift_ppm: float = 0.0
    speed: float = 1.0

    def device_s(self, true_s: float) -> float:
        """Seconds since power-on as the roller counts them."""
        return true_s * self.speed * (1.0 + self.drift_ppm * 1e-6)

    def true_s(self, device_s: float) -> float:
        """The inverse of `device_s`."""
        return device_s / (self.speed * (1.0 + self.drift_ppm * 1e-6))

    def ticks_us(self, device_s: float) -> int:
        """The 32-bit microsecond counter at a device time."""
        return (self.offset_us + round(device_s * 1e6)) % WRAP_US
