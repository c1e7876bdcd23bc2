"""One sink's waiting line: bounded, so that a slow or dead peer never holds up the coaching."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from rolltrack.core.events import BatteryLevel, FinalSpeed, LiveSpeed
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.service.complaints import Complaints

if TYPE_CHECKING:
    from rolltrack.sinks.sink import Gauges, Outgoing, Roller, Sink

log = logging.getLogger("rolltrack.service")

Entry: TypeAlias = "tuple[int, Roller, Outgoing]"

EXPENDABLE = (LiveSpeed, ImuSamples, SignalGap, FinalSpeed, BatteryLevel)
"""What a later one replaces, or what only a recording misses; everything else is never dropped."""

CAPACITY = 2000
DRAIN_S = 5.0
CLOSE_S = 5.0


class Outlet:
    """Queue and task of one sink.

    Args:
        sink: what is served; its faults are logged and end here.
        capacity: how many entries may wait before the oldest expendable ones are dropped.
        drain_s: how long the sink may take for the rest once `finish` was called.
    """

    def __init__(self, sink: Sink, *, capacity: int = CAPACITY, drain_s: float = DRAIN_S) -> None:
        self.sink = sink
        self.dropped = 0
        self._capacity = capacity
        self._drain_s = drain_s
        self._number = 0
        self._kept: deque[Entry] = deque()
        self._expendable: deque[Entry] = deque()
        self._news = asyncio.Event()
        self._finished = False
        self._running = False
        self._in_hand = 0
        self._patience = asyncio.timeout(None)
        self._complaints = Complaints(f"sink {sink.name}")

    @property
    def waiting(self) -> int:
        """How many entries the sink has not taken yet."""
        return len(self._kept) + len(self._expendable)

    def gauges(self) -> Gauges:
        """How full the line is, and what it has cost so far."""
        name = self.sink.name
        return {f"{name}_waiting": lambda: self.waiting, f"{name}_dropped": lambda: self.dropped}

    def put(self, roller: Roller, outgoing: Outgoing) -> None:
        """Queue one thing; never waits."""
        if isinstance(outgoing, ImuSamples | SignalGap) and not self.sink.wants_samples:
            return
        line = self._expendable if isinstance(outgoing, EXPENDABLE) else self._kept
        line.append((self._number, roller, outgoing))
        self._number += 1
        if self.waiting > self._capacity and self._expendable:
            self._expendable.popleft()
            self.dropped += 1
            if self.dropped == 1:
                log.warning("sink %s is too slow: its oldest live data are dropped", self.sink.name)
        self._news.set()

    def finish(self) -> None:
        """Nothing more will be put; the sink has a few seconds for what waits."""
        self._finished = True
        self._news.set()
        if self._running:
            self._limit_patience()

    async def run(self) -> None:
        """Open the sink, serve it until `finish`, close it.

        Raises:
            Exception: the sink cannot be opened; anything later is logged.
        """
        opened = False
        try:
            async with self._patience:
                self._running = True
                if self._finished:
                    self._limit_patience()
                await self.sink.open()
                opened = True
                await self._serve()
        except TimeoutError:
            if not self._patience.expired():
                raise
            left = self.waiting + self._in_hand
            log.error("sink %s did not take its last %d events", self.sink.name, left)  # noqa: TRY400  # the traceback would show only our own timer
        finally:
            self._running = False
            if opened:
                await self._close()

    def _limit_patience(self) -> None:
        self._patience.reschedule(asyncio.get_running_loop().time() + self._drain_s)

    async def _serve(self) -> None:
        while True:
            while self.waiting:
                _, roller, outgoing = self._oldest()
                self._in_hand = 1
                try:
                    await self.sink.handle(roller, outgoing)
                except Exception as fault:  # noqa: BLE001  # the next event may well succeed
                    self._complaints.report(fault)
                self._in_hand = 0
            if self._finished:
                return
            self._news.clear()
            await self._news.wait()

    def _oldest(self) -> Entry:
        lines = [line for line in (self._kept, self._expendable) if line]
        return min(lines, key=lambda line: line[0][0]).popleft()

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.sink.close()
        except TimeoutError:
            log.warning("sink %s could not be closed within %.0f s", self.sink.name, CLOSE_S)
        except Exception as fault:  # noqa: BLE001  # the other sinks are closing too
            self._complaints.report(fault)
        if self.dropped:
            log.info("sink %s: %d live data were dropped", self.sink.name, self.dropped)
