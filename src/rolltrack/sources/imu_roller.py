"""One publisher's batches of raw readings -> items, on one stream clock that never goes back.

From batch to batch the publisher's clock rules. But it may be set or start anew, and a batch may be
wrong: one that does not fit is held until others bear it out. Then stream time goes on by as much
as passed between their arrivals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rolltrack.core.events import LinkChanged
from rolltrack.core.sample import SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sources.imu_batch import LEAST_STEP_MS, samples_of
from rolltrack.sources.source import Sensor, TimePassed

if TYPE_CHECKING:
    from rolltrack.core.sample import GapReason, ImuSamples
    from rolltrack.sources.source import Item
    from rolltrack.wire import ImuBatch

SILENT_S = 1.5
LOST_S = 5.0
MOST_AHEAD_S = 60.0
"""No batch comes this much quicker than the quickest one before. A recording that is published in a
hurry gains less from one batch to the next."""
ENOUGH_BATCHES = 3
"""So many in a row that fit each other, though not the ones before, are right."""
REMEMBERED_BATCHES = 100
"""More than brokers and clients send again after a broken connection."""
EARLIEST_DATE_UNIX_S = 1.5e9
"""A clock that says less has lost its date; what it said before is better."""
LONGEST_PAUSE_S = 1e8
"""Between two recordings of one roller. So stream seconds stay exact to a millionth."""
HURRIED_S = 10.0
"""Who has gained so much on the wall clock sends a recording in a hurry; its pauses have passed."""
_RESTART_AFTER_S = 0.001


@dataclass(frozen=True, slots=True)
class _Arrived:
    batch: ImuBatch
    arrival_s: float


@dataclass(frozen=True, slots=True)
class _Newest:
    """What was taken last; `last_s` is the stream time of its last reading."""

    seq: int
    last_s: float
    arrival_s: float


class ImuRoller:
    """Follows one publisher. `now_s` is always the same monotonic clock.

    Attributes:
        sensor: who it is. Once the publisher's clock was set, the epoch is another one.
    """

    def __init__(self, roller: str, epoch_unix_s: float) -> None:
        self.sensor = Sensor("imu", roller, roller, epoch_unix_s)
        self._origin_ms = round(epoch_unix_s * 1000)
        self._origin_s = 0.0
        self._newest: _Newest | None = None
        self._ahead_s = self._first_ahead_s = -math.inf
        self._up = False
        self._taken: dict[int, tuple[int, float]] = {}
        self._held: list[_Arrived] = []

    def take(self, batch: ImuBatch, now_s: float) -> list[Item]:
        """Items of one batch, oldest first; one that came before is nothing new.

        Raises:
            DecodeError: the batch cannot be used, or not before others bear it out; the next one
                may.
        """
        samples = self._samples(batch)
        if self._came_before(batch, float(samples.t_s[0])):
            return []
        arrived = _Arrived(batch, now_s)
        fault = self._fault(batch.seq, samples, now_s)
        if self._newest is None or not fault:
            self._held.clear()
            return self._accept(arrived)
        if self._held and not _goes_on(self._held[-1], arrived):
            self._held.clear()
        self._held.append(arrived)
        if len(self._held) < ENOUGH_BATCHES:
            raise DecodeError(fault, hint="It is taken if the next ones agree with it.")
        (first, *rest), self._held = self._held, []
        self._follow(self._newest, first)
        items = self._accept(first, clock_reset=True)
        return [*items, *(item for each in rest for item in self._accept(each))]

    def tick(self, now_s: float) -> list[Item]:
        """What silence until `now_s` means; call it about once a second."""
        if self._newest is None or now_s - self._newest.arrival_s < SILENT_S:
            return []
        silent_s = now_s - self._newest.arrival_s
        t_s = self._newest.last_s + silent_s
        items: list[Item] = [TimePassed(t_s)]
        if self._up and silent_s >= LOST_S:
            self._up = False
            items.insert(0, LinkChanged(t_s, up=False))
        return items

    def _samples(self, batch: ImuBatch) -> ImuSamples:
        return samples_of(batch, self._origin_ms, self._origin_s)

    def _came_before(self, batch: ImuBatch, first_s: float) -> bool:
        """A copy, or a batch that others have overtaken: between them there is a place for it."""
        if any(held.batch == batch for held in self._held):
            return True
        if batch.seq in self._taken:
            return self._taken[batch.seq][0] == hash(batch)
        newest = self._newest
        if newest is None or batch.seq > newest.seq or first_s > newest.last_s:
            return False
        first_ms = batch.ts + batch.t_ms[0]
        return any(
            seq < batch.seq and last_ms < first_ms for seq, (_, last_ms) in self._taken.items()
        )

    def _fault(self, seq: int, samples: ImuSamples, now_s: float) -> str:
        """Why the batch cannot be the next one; empty if it can."""
        if self._newest is None:
            return ""
        back_s = self._newest.last_s - float(samples.t_s[0])
        if back_s >= 0:
            return f"batch {seq} begins {back_s:.3f} s before the last one ended."
        ahead_s = float(samples.t_s[-1]) - now_s - self._ahead_s
        if ahead_s > MOST_AHEAD_S:
            return f"batch {seq} is {ahead_s:.0f} s ahead of those before it."
        return ""

    def _follow(self, newest: _Newest, first: _Arrived) -> None:
        """Believe the publisher's clock from the batch `first` on."""
        batch, samples = first.batch, self._samples(first.batch)
        first_s, last_s = float(samples.t_s[0]), float(samples.t_s[-1])
        hurried = self._ahead_s - self._first_ahead_s > HURRIED_S
        self._ahead_s = self._first_ahead_s = -math.inf
        if (batch.seq == 0 or hurried) and 0 < first_s - newest.last_s < LONGEST_PAUSE_S:
            return  # a new recording made later than the one before, or a pause in one
        passed_s = first.arrival_s - newest.arrival_s - (last_s - first_s)
        self._origin_ms = batch.ts
        self._origin_s = newest.last_s + max(passed_s, _RESTART_AFTER_S) - batch.t_ms[0] / 1000
        if batch.ts / 1000 >= EARLIEST_DATE_UNIX_S:
            epoch_unix_s = batch.ts / 1000 - self._origin_s
            self.sensor = replace(self.sensor, epoch_unix_s=epoch_unix_s)

    def _accept(self, arrived: _Arrived, *, clock_reset: bool = False) -> list[Item]:
        batch, samples = arrived.batch, self._samples(arrived.batch)
        first_s, last_s = float(samples.t_s[0]), float(samples.t_s[-1])
        items: list[Item] = [] if self._up else [LinkChanged(first_s, up=True)]
        newest = self._newest
        if newest is not None and (clock_reset or batch.seq != newest.seq + 1):
            anew = clock_reset or batch.seq <= newest.seq
            reason: GapReason = "clock_reset" if anew else "packets_lost"
            items.append(SignalGap(newest.last_s, first_s, reason=reason))
        self._remember(batch)
        self._newest, self._up = _Newest(batch.seq, last_s, arrived.arrival_s), True
        if self._ahead_s == -math.inf:
            self._first_ahead_s = last_s - arrived.arrival_s
        self._ahead_s = max(self._ahead_s, last_s - arrived.arrival_s)
        return [*items, samples]

    def _remember(self, batch: ImuBatch) -> None:
        self._taken.pop(batch.seq, None)
        self._taken[batch.seq] = hash(batch), batch.ts + batch.t_ms[-1]
        if len(self._taken) > REMEMBERED_BATCHES:
            del self._taken[next(iter(self._taken))]


def _goes_on(before: _Arrived, after: _Arrived) -> bool:
    """Whether two batches can follow each other on one clock."""
    if after.batch.seq <= before.batch.seq:
        return False
    between_ms = after.batch.ts - before.batch.ts
    pause_ms = between_ms + after.batch.t_ms[0] - before.batch.t_ms[-1]
    gained_ms = between_ms + after.batch.t_ms[-1] - before.batch.t_ms[-1]
    most_s = after.arrival_s - before.arrival_s + MOST_AHEAD_S
    return pause_ms >= LEAST_STEP_MS and gained_ms / 1000 <= most_s
