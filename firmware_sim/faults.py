"""What goes wrong between firmware and air: lost and repeated packets, hangs, reboots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """What is to go wrong; times are seconds of the trace.

    Attributes:
        loss: share of packets that never arrive.
        duplicates: share of packets that arrive twice.
        freeze_at_s: when the firmware hangs: the link stays, nothing comes.
        freeze_s: for how long.
        reboot_at_s: when it starts again, with counters, clock and configuration as at power-on.
        seed: the same one loses the same packets.
    """

    loss: float = 0.0
    duplicates: float = 0.0
    freeze_at_s: float | None = None
    freeze_s: float = 5.0
    reboot_at_s: float | None = None
    seed: int = 1


class Faults:
    """One roller's share of a plan."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._dice = np.random.default_rng(plan.seed)
        self._rebooted = False

    def frozen(self, elapsed_s: float) -> bool:
        """Whether the firmware hangs at this time of the trace."""
        start_s = self._plan.freeze_at_s
        return start_s is not None and start_s <= elapsed_s < start_s + self._plan.freeze_s

    def reboots(self, elapsed_s: float) -> bool:
        """Whether it is time for the reboot, which comes once."""
        due_s = self._plan.reboot_at_s
        if due_s is None or self._rebooted or elapsed_s < due_s:
            return False
        self._rebooted = True
        return True

    def pass_on(self, packets: Iterable[bytes]) -> list[bytes]:
        """What arrives of these packets."""
        arrived: list[bytes] = []
        for packet in packets:
            lost, twice = self._dice.uniform(size=2) < (self._plan.loss, self._plan.duplicates)
            arrived += [] if lost else [packet] * (1 + int(twice))
        return arrived
