"""Put rollers that replay a trace on the air and open the hub to them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from firmware_sim.air import Air, Faults
from firmware_sim.clock import DeviceClock
from firmware_sim.errors import InputError, UsageError
from firmware_sim.firmware import Firmware
from firmware_sim.hub import Hub
from firmware_sim.link import SimLink
from firmware_sim.packets import AXLE_CODES, Config
from firmware_sim.peripheral import VirtualRoller
from firmware_sim.profile import Identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_sim.firmware import AtEnd
    from firmware_sim.mounting import Axle
    from firmware_sim.trace import Trace

LARGEST_RADIUS_M = 6.5535
"""What fits the info characteristic."""
STATIC_ADDRESS_BITS = 0b11
"""The two highest bits of a random static address (Vol 6, Part B, 1.3.2.1)."""
_LEAST_ALONG = 0.95
"""Cosine from which a direction is told as the axis it lies at: up to 18 degrees beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What to put on the air.

    Attributes:
        trace: what every roller measures.
        identities: one for each roller.
        config: what is in force before a central writes another one.
        radius_m: rolling radius; None takes the trace's.
        air: what every roller meets; the dice hit each one otherwise.
        seed: of these dice.
        speed: how many seconds of the trace pass in a true one.
        at_end: what happens after the trace.
        wait: begin each roller's trace when somebody subscribes to it, else at once.
        battery_percent: charge of every roller.
    """

    trace: Trace
    identities: tuple[Identity, ...]
    config: Config = field(default_factory=Config)
    radius_m: float | None = None
    air: Air = field(default_factory=Air)
    seed: int = 1
    speed: float = 1.0
    at_end: AtEnd = "stay"
    wait: bool = True
    battery_percent: int = 87


async def serve(replay: Replay, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Replay until every trace has stopped, or SIGINT or SIGTERM comes.

    Args:
        replay: what to put on the air.
        host: loopback address to listen on.
        port: TCP port, 0 for any free one.
        ready: called with `tcp:HOST:PORT` once clients can connect.
    """
    link = SimLink()
    dice = np.random.default_rng(replay.seed).spawn(len(replay.identities))
    rollers = [
        _roller(link, replay, identity, Faults(replay.air, own))
        for identity, own in zip(replay.identities, dice, strict=True)
    ]
    async with Hub(link, host, port) as hub:
        for roller in rollers:
            await roller.power_on()
        ready(f"tcp:{hub.host}:{hub.port}")
        await _until_done_or_told(rollers)
        for roller in rollers:
            await roller.power_off()


def identities(name: str, address: str, serial: str, count: int) -> tuple[Identity, ...]:
    """Number the rollers from 1; `{n}` in name and serial is the number, addresses count up.

    Raises:
        UsageError: the address is not a random static one, or the serials would not differ.
    """
    if count > 1 and "{n}" not in serial:
        raise UsageError(f"{count} rollers need different serials: write {{n}} into {serial!r}.")
    first = _address_number(address)
    return tuple(
        Identity(
            name.replace("{n}", str(n)),
            _address_text(first + n - 1),
            serial.replace("{n}", str(n)),
        )
        for n in range(1, count + 1)
    )


async def _until_done_or_told(rollers: list[VirtualRoller]) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows knows no such handlers
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, told.set)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(roller.run()) for roller in rollers]
        waiting = tasks.create_task(_stop_when(told, running))
        await asyncio.wait(running)
        waiting.cancel()


async def _stop_when(told: asyncio.Event, running: list[asyncio.Task[None]]) -> None:
    await told.wait()
    for task in running:
        task.cancel()


def _roller(link: SimLink, replay: Replay, identity: Identity, faults: Faults) -> VirtualRoller:
    air = replay.air
    firmware = Firmware(
        replay.trace,
        config=replay.config,
        radius_m=_radius_m(replay),
        axle=_axle(replay.trace),
        clock=DeviceClock(air.clock_us, air.drift_ppm, replay.speed),
        at_end=replay.at_end,
        battery_percent=replay.battery_percent,
    )
    return VirtualRoller(
        link,
        firmware,
        identity,
        interval_s=air.interval_s,
        wait=replay.wait,
        faults=faults,
    )


def _radius_m(replay: Replay) -> float | None:
    if replay.radius_m is not None:
        return replay.radius_m
    text = replay.trace.metadata.get("radius_m")
    if text is None:
        return None
    try:
        radius_m = float(text)
    except ValueError:
        radius_m = 0.0
    if not 0 < radius_m <= LARGEST_RADIUS_M:
        raise InputError(
            f"radius_m: {text!r} in the trace is not a radius; give --radius-mm instead."
        )
    return radius_m


def _axle(trace: Trace) -> Axle | None:
    """The sensor axis along the axle; the info characteristic has no word for one in between.

    Raises:
        InputError: it is neither an axis such as `+z` nor a direction such as `0 0 1`.
    """
    text = trace.metadata.get("axle")
    if text is None:
        return None
    for axle in AXLE_CODES:
        if axle == text:
            return axle
    try:
        direction = np.array([float(part) for part in text.split()])
    except ValueError:
        direction = np.zeros(0)
    if direction.shape != (3,) or not 0 < np.linalg.norm(direction) < inf:
        raise InputError(f"axle: {text!r} in the trace is neither like +z nor like 0 0 1.")
    direction /= np.linalg.norm(direction)
    along = int(np.abs(direction).argmax())
    if abs(direction[along]) < _LEAST_ALONG:
        return None
    wanted = f"{'+' if direction[along] > 0 else '-'}{'xyz'[along]}"
    return next(axle for axle in AXLE_CODES if axle == wanted)


def _address_number(text: str) -> int:
    octets = text.split(":")
    try:
        number = int("".join(octets), 16) if list(map(len, octets)) == [2] * 6 else 0
    except ValueError:
        number = 0
    if number >> 46 != STATIC_ADDRESS_BITS:
        raise UsageError(
            f"{text!r} is not a random static Bluetooth address, such as F0:5E:00:00:00:01."
        )
    return number


def _address_text(number: int) -> str:
    return ":".join(f"{octet:02X}" for octet in number.to_bytes(6, "big"))
