"""Virtual rollers for tests: in this process, or in one that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING, Self

import numpy as np

from firmware_sim.firmware import Firmware
from firmware_sim.hub import Hub
from firmware_sim.link import SimLink
from firmware_sim.packets import Config
from firmware_sim.peripheral import VirtualRoller
from firmware_sim.profile import Identity
from firmware_sim.trace import Trace
from rolltrack.core.sample import ImuSamples, SignalGap

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator, Callable

    from rolltrack.sources.source import Item, Sensor

GRAVITY_MPS2 = 9.81
START_TIMEOUT_S = 20.0


def turning_trace(seconds: float = 60.0, rate_hz: float = 100.0) -> Trace:
    """A roller that turns to and fro about z."""
    t_s = np.arange(0, seconds, 1 / rate_hz)
    angle = 0.5 * np.sin(2 * np.pi * 0.25 * t_s)
    accel = GRAVITY_MPS2 * np.column_stack([np.sin(angle), np.cos(angle), np.zeros_like(t_s)])
    gyro = np.column_stack([np.zeros((len(t_s), 2)), np.gradient(angle, t_s)])
    return Trace(t_s=t_s, accel_mps2=accel, gyro_radps=gyro, metadata={})


class TamperedFirmware(Firmware):
    """Firmware whose packets and info go through a saboteur."""

    tamper: Callable[[bytes], bytes | None] = staticmethod(lambda packet: packet)
    profile_version: int | None = None

    def take(self, most: int) -> list[bytes]:
        changed = [self.tamper(packet) for packet in super().take(most)]
        return [packet for packet in changed if packet is not None]

    def info(self, now_s: float) -> bytes:
        told = super().info(now_s)
        return told if self.profile_version is None else bytes([self.profile_version]) + told[1:]


class Air:
    """A hub and the rollers around it, in this process."""

    def __init__(self, port: int = 0) -> None:
        self.link = SimLink()
        self.rollers: list[VirtualRoller] = []
        self._running: list[asyncio.Task[None]] = []
        self._hub = Hub(self.link, port=port)

    @property
    def where(self) -> str:
        return f"tcp:{self._hub.host}:{self._hub.port}"

    async def __aenter__(self) -> Self:
        await self._hub.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for roller in self.rollers:
            roller.controller.switch_off()
        await self._hub.__aexit__(*error)

    async def add(
        self,
        number: int = 1,
        *,
        name: str | None = None,
        serial: str | None = None,
        firmware: Firmware | None = None,
    ) -> VirtualRoller:
        identity = Identity(
            name=name or f"Roller-{number}",
            address=f"F0:5E:00:00:00:{number:02X}",
            serial=f"rt-{number}" if serial is None else serial,
        )
        firmware = firmware or Firmware(turning_trace(), config=Config())
        roller = VirtualRoller(self.link, firmware, identity)
        await roller.power_on()
        self.rollers.append(roller)
        self._running.append(asyncio.create_task(roller.run()))
        return roller


class Heard:
    """Keeps what a source delivers, and lets a test wait for it."""

    def __init__(self) -> None:
        self.items: list[tuple[Sensor, Item]] = []
        self._news = asyncio.Event()

    def deliver(self, sensor: Sensor, item: Item) -> None:
        self.items.append((sensor, item))
        self._news.set()

    def of(self, sensor_id: str, kind: type | None = None) -> list[Item]:
        return [
            item
            for sensor, item in self.items
            if sensor.sensor_id == sensor_id and (kind is None or isinstance(item, kind))
        ]

    def samples(self, sensor_id: str) -> int:
        return sum(len(item) for item in self.of(sensor_id, ImuSamples))

    def times(self, sensor_id: str) -> np.ndarray:
        blocks = self.of(sensor_id, ImuSamples)
        return np.concatenate([block.t_s for block in blocks]) if blocks else np.empty(0)

    def gaps(self, sensor_id: str) -> list[SignalGap]:
        return self.of(sensor_id, SignalGap)

    async def until(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def until_samples(self, sensor_id: str, count: int, timeout_s: float = 30.0) -> None:
        await self.until(lambda: self.samples(sensor_id) >= count, timeout_s)


@contextlib.asynccontextmanager
async def running(source, heard: Heard) -> AsyncIterator[asyncio.Task[None]]:
    """Run a source in the background for the block; it must not end by itself."""
    task = asyncio.create_task(source.run(heard.deliver))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class SimProcess:
    """`rolltrack-sim replay` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, where: str) -> None:
        self.process = process
        self.where = where

    @classmethod
    async def start(cls, trace: str, *options: str, where: str = "tcp:127.0.0.1:0") -> Self:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from firmware_sim.cli import run; run()",
            "replay", trace, "--ble", where, *options,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(START_TIMEOUT_S):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("ready tcp:"), line
        return cls(process, line.split()[1])

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        self.process._transport.close()
