"""A central in plain bumble, and virtual rollers for it to talk to: no rolltrack in here."""

import asyncio
import contextlib
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from bumble import hci
from bumble.core import UUID
from bumble.device import Device, DeviceConfiguration, Peer
from bumble.transport import open_transport

from firmware_sim.clock import DeviceClock
from firmware_sim.firmware import Firmware
from firmware_sim.link import SimController
from firmware_sim.packets import encode_config
from firmware_sim.peripheral import VirtualRoller
from firmware_sim.profile import CONFIG, MOTION, Identity
from firmware_sim.trace import Trace

ROLLER = Identity("Roller-7", "F0:5E:00:00:00:07", "rt-test-7")
ACCEL_LSB = 8 * 9.80665 / 32768
BATTERY_LEVEL, SERIAL_NUMBER = "2A19", "2A25"
PATIENCE_S = 20


def counting_trace(readings=500):
    """100 Hz; the first accelerometer axis counts the readings, one LSB each."""
    k = np.arange(readings)
    accel = np.column_stack([k, np.full(readings, 2), np.full(readings, -3)]) * ACCEL_LSB
    return Trace(k / 100, accel)


@dataclass(eq=False)
class Received:
    """Motion packets as they came."""

    seqs: list[int] = field(default_factory=list)
    t_us: list[int] = field(default_factory=list)
    overruns: list[bool] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, value):
        seq, t_us, flags, n = struct.unpack_from("<HIBB", value)
        axes = 6 if flags & 1 else 3
        assert len(value) == 8 + 2 * axes * n
        self.seqs.append(seq)
        self.t_us.append(t_us)
        self.overruns.append(bool(flags & 2))
        self.counts += [row[0] for row in struct.iter_unpack(f"<{axes}h", value[8:])]
        self.news.set()

    async def until(self, done):
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self.news.clear()
                await self.news.wait()


class Central:
    """A bumble device that talks to one roller."""

    def __init__(self, source, sink, address="E0:00:00:00:00:01"):
        configuration = DeviceConfiguration(name="central", address=hci.Address(address))
        self.device = Device.from_config_with_hci(configuration, source, sink)
        self.motion = Received()

    async def connect(self, address=ROLLER.address, *, mtu=247, own=hci.OwnAddressType.RANDOM):
        await self.device.power_on()
        self.connection = await self.device.connect(
            hci.Address(address), own_address_type=own, timeout=PATIENCE_S
        )
        self.gone = asyncio.get_running_loop().create_future()
        self.connection.on(self.connection.EVENT_DISCONNECTION, self.gone.set_result)
        self.peer = Peer(self.connection)
        if mtu:
            await self.peer.request_mtu(mtu)
        await self.peer.discover_all()
        return self

    def characteristic(self, uuid):
        (found,) = self.peer.get_characteristics_by_uuid(UUID(uuid))
        return found

    async def read(self, uuid):
        return await self.characteristic(uuid).read_value()

    async def write_config(self, config):
        await self.characteristic(CONFIG).write_value(encode_config(config), with_response=True)

    async def subscribe(self):
        await self.characteristic(MOTION).subscribe(self.motion)
        return self.motion


@asynccontextmanager
async def roller_on(
    link,
    trace=None,
    *,
    speed=20.0,
    identity=ROLLER,
    interval_s=0.03,
    wait=True,
    faults=None,
    **firmware,
):
    """A powered roller whose stream runs in the background."""
    clock = firmware.pop("clock", DeviceClock(speed=speed))
    chip = Firmware(trace or counting_trace(), clock=clock, **firmware)
    roller = VirtualRoller(link, chip, identity, interval_s=interval_s, wait=wait, faults=faults)
    await roller.power_on()
    running = asyncio.create_task(roller.run())
    try:
        yield roller
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await roller.power_off()


@asynccontextmanager
async def central_on(link, address="E0:00:00:00:00:01"):
    controller = SimController("central", link)
    try:
        yield Central(controller, controller, address)
    finally:
        controller.switch_off()


@asynccontextmanager
async def central_at(port, address="E0:00:00:00:00:01"):
    transport = await open_transport(f"tcp-client:127.0.0.1:{port}")
    async with transport as (source, sink):
        yield Central(source, sink, address)
