"""A recorded trace as a source: at its own pace, faster, or as fast as it goes."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.events import LinkChanged
from rolltrack.sources.source import Sensor
from rolltrack.traces.reader import iter_trace, open_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.core.sample import ImuSamples
    from rolltrack.sources.source import Deliver

PACED_PACKET_S = 0.1
"""Stream time that arrives at once, about as a radio would bring it."""

UNPACED_PACKET_S = 1.0
"""Longer ones cost less, but the rest of the service must have its turn."""

_ROWS_READ_AT_ONCE = 5000


class ReplaySource:
    """Plays one trace and returns.

    Args:
        path: the trace.
        speed: how many stream seconds pass per second; None does not wait at all.

    Attributes:
        paced: whether it waits.
    """

    def __init__(self, path: str | Path, speed: float | None = 1.0) -> None:
        self._path = Path(path)
        self._speed = speed
        self.paced = speed is not None
        self.name = f"replay {self._path.name}"

    async def run(self, deliver: Deliver) -> None:
        """Deliver the whole trace.

        Raises:
            InputError: it is not a trace, or something in it is wrong.
        """
        blocks = self._blocks()
        first = next(blocks)
        starts_s = float(first.t_s[0])
        sensor = self._sensor(starts_s)
        deliver(sensor, LinkChanged(starts_s, up=True))
        clock = asyncio.get_running_loop().time
        began = clock()
        block: ImuSamples | None = first
        while block is not None:
            wait_s = 0.0
            if self._speed is not None:
                wait_s = began + (float(block.t_s[-1]) - starts_s) / self._speed - clock()
            await asyncio.sleep(max(0.0, wait_s))
            deliver(sensor, block)
            block = next(blocks, None)

    def _sensor(self, starts_s: float) -> Sensor:
        trace = open_trace(self._path)
        epoch_unix_s = trace.meta.started_at_unix_s
        if epoch_unix_s is None:
            epoch_unix_s = time.time() - starts_s
        return Sensor(
            "trace", trace.name, trace.name, epoch_unix_s, trace.meta.radius_m, trace.meta.axle
        )

    def _blocks(self) -> Iterator[ImuSamples]:
        packet_s = UNPACED_PACKET_S if self._speed is None else PACED_PACKET_S
        for rows in iter_trace(self._path, _ROWS_READ_AT_ONCE):
            number = np.floor(rows.t_s / packet_s)
            cuts = [0, *(np.flatnonzero(np.diff(number)) + 1), len(rows)]
            yield from (rows[start:end] for start, end in pairwise(cuts))
