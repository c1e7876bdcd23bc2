"""The service of the delivery benchmark: the product's own, with a source that hurries.

Most of its rollers finish a short session every few hundredths of a second; two roll in real time,
so that every kill cuts their sessions off. What the service has announced is written to a file
before anything can kill it again.

python benchmarks/_delivery_service.py BROKER_PORT FOLDER roll|wait
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from _delivery_truth import ANNOUNCED, SERVICE_DB

from rolltrack.cli.logs import setup_logging
from rolltrack.cli.run import serve
from rolltrack.config import BleConfig, Config, MqttConfig, StoreConfig
from rolltrack.core.events import SessionEnded, StrokeEnded
from rolltrack.core.sample import ImuSamples
from rolltrack.sources.source import Sensor, TimePassed

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray
    from rolltrack.sinks.sink import Outgoing, Roller
    from rolltrack.sources.source import Deliver

SITE = "bench"
RATE_HZ = 25.0
HURRIED = 8
SESSION_S = 2.0
IDLE_S = 120.0
PAUSE_S = 0.01


def turning(t_s: FloatArray) -> ImuSamples:
    """To and fro, a second each, seen by a gyroscope."""
    rate = np.zeros((len(t_s), 3))
    rate[:, 2] = np.sin(np.pi * t_s)
    return ImuSamples(t_s, None, rate)


class Hurried:
    """A source of many short sessions, and of two long ones; ends its sessions never by itself."""

    name = "hurried"

    async def run(self, deliver: Deliver) -> None:
        """Roll until killed."""
        epoch_unix_s = time.time() - 1e6
        sensors = [Sensor("trace", f"h{n}", f"h{n}", epoch_unix_s) for n in range(HURRIED)]
        slow = [Sensor("trace", f"s{n}", f"s{n}", time.time()) for n in range(2)]
        async with asyncio.TaskGroup() as group:
            for sensor in slow:
                group.create_task(self._roll_slowly(sensor, deliver))
            group.create_task(self._hurry(sensors, deliver))

    async def _hurry(self, sensors: list[Sensor], deliver: Deliver) -> None:
        start_s = 0.0
        while True:
            for sensor in sensors:
                t_s = start_s + np.arange(round(SESSION_S * RATE_HZ)) / RATE_HZ
                deliver(sensor, turning(t_s))
                deliver(sensor, TimePassed(start_s + SESSION_S + IDLE_S + 1.0))
                await asyncio.sleep(PAUSE_S)
            start_s += SESSION_S + IDLE_S + 10.0

    async def _roll_slowly(self, sensor: Sensor, deliver: Deliver) -> None:
        started_s, n = time.monotonic(), 0
        while True:
            await asyncio.sleep(0.2)
            until = int((time.monotonic() - started_s) * RATE_HZ)
            if until > n:
                deliver(sensor, turning(np.arange(n, until) / RATE_HZ))
                n = until


class Announcements:
    """A sink that writes down which sessions somebody has already heard of, and when."""

    name = "announcements"
    wants_samples = False

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    async def open(self) -> None:
        """Nothing to prepare."""

    async def handle(self, _roller: Roller, outgoing: Outgoing) -> None:
        """Note strokes and sessions."""
        if isinstance(outgoing, StrokeEnded):
            self._note("stroke", outgoing.session_id)
        elif isinstance(outgoing, SessionEnded):
            self._note("ended", outgoing.summary.session_id)

    async def close(self) -> None:
        """Nothing to tidy up."""
        self._file.close()

    def _note(self, what: str, session_id: str) -> None:
        self._file.write(f"{what} {session_id} {time.time():.3f}\n")
        self._file.flush()


def main() -> None:
    """Run until SIGINT."""
    port, folder, doing = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    setup_logging()
    config = Config(
        site=SITE,
        ble=BleConfig(enabled=False),
        mqtt=MqttConfig(broker=f"127.0.0.1:{port}", receipts=True),
        store=StoreConfig(path=str(folder / SERVICE_DB)),
    )
    source = Hurried() if doing == "roll" else Waiting()
    announcements = Announcements(folder / ANNOUNCED)
    asyncio.run(serve(config, [source], show=False, radius_m=None, more=[announcements]))


class Waiting:
    """A source without readings: the service only delivers what is left."""

    name = "waiting"

    async def run(self, deliver: Deliver) -> None:
        """Wait to be stopped."""
        del deliver
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
