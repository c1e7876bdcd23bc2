"""Between firmware and central: bursts, a clock that wraps, lost packets, hangs, reboots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec

from firmware_sim.limits import Drift, NotNegative, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

Interval: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0075, le=4.0)]
"""Of a connection (Bluetooth Core Specification, Vol 6, Part B, 4.5.1)."""


class Air(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a scenario meets when it is replayed over virtual Bluetooth.

    Attributes:
        interval_s: connection interval: packets leave in bursts.
        clock_us: device clock at power-on; it wraps at 2^32.
        drift_ppm: how much too fast the device clock runs.
        loss: share of packets that never arrive.
        duplicates: share of packets that arrive twice.
        freeze_at_s: second of the trace at which the firmware hangs: the link stays, nothing comes.
        freeze_s: for how long.
        reboot_at_s: second of the trace at which it starts again, with counters, clock and
            configuration as at power-on.
    """

    interval_s: Interval = 0.03
    clock_us: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0
    drift_ppm: Drift = 0.0
    loss: Part = 0.0
    duplicates: Part = 0.0
    freeze_at_s: NotNegative | None = None
    freeze_s: NotNegative = 5.0
    reboot_at_s: NotNegative | None = None


class Faults:
    """What goes wrong with one roller.

    Args:
        air: what is to go wrong.
        dice: which packets it hits.
    """

    def __init__(self, air: Air, dice: np.random.Generator) -> None:
        self._air = air
        self._dice = dice
        self._rebooted = False

    def frozen(self, elapsed_s: float) -> bool:
        """Whether the firmware hangs at this time of the trace."""
        start_s = self._air.freeze_at_s
        return start_s is not None and start_s <= elapsed_s < start_s + self._air.freeze_s

    def reboots(self, elapsed_s: float) -> bool:
        """Whether it is time for the reboot, which comes once."""
        due_s = self._air.reboot_at_s
        if due_s is None or self._rebooted or elapsed_s < due_s:
            return False
        self._rebooted = True
        return True

    def pass_on(self, packets: Iterable[bytes]) -> list[bytes]:
        """What arrives of these packets."""
        arrived: list[bytes] = []
        for packet in packets:
            lost, twice = self._dice.uniform(size=2) < (self._air.loss, self._air.duplicates)
            arrived += [] if lost else [packet] * (1 + int(twice))
        return arrived
