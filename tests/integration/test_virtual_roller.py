"""The virtual roller as a central sees it. The central is plain bumble: no rolltrack in here."""

import asyncio
import contextlib
import struct
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import bumble.core
import numpy as np
import pytest
from bumble import att, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device, DeviceConfiguration, Peer
from bumble.transport import open_transport

from firmware_sim.clock import DeviceClock
from firmware_sim.errors import SimError, UsageError
from firmware_sim.firmware import Firmware
from firmware_sim.hub import Hub
from firmware_sim.link import SimController, SimLink
from firmware_sim.packets import Config, encode_config
from firmware_sim.peripheral import VirtualRoller
from firmware_sim.profile import CONFIG, INFO, MOTION, SERVICE, STATUS, Identity
from firmware_sim.trace import Trace, write_trace

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
async def roller_on(link, trace=None, *, speed=20.0, identity=ROLLER, interval_s=0.03, **firmware):
    """A powered roller whose stream runs in the background."""
    clock = firmware.pop("clock", DeviceClock(speed=speed))
    chip = Firmware(trace or counting_trace(), clock=clock, **firmware)
    roller = VirtualRoller(link, chip, identity, interval_s=interval_s)
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


async def test_tells_who_it_is_in_one_advertisement():
    link = SimLink()
    async with roller_on(link), central_on(link) as central:
        await central.device.power_on()
        heard = asyncio.get_running_loop().create_future()
        central.device.once("advertisement", heard.set_result)
        await central.device.start_scanning(active=False)
        data = (await asyncio.wait_for(heard, PATIENCE_S)).data
        assert data.get(AdvertisingData.COMPLETE_LOCAL_NAME) == "Roller-7"
        services = data.get(AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS)
        assert services == [UUID(SERVICE)]


async def test_answers_info_status_battery_and_serial():
    link = SimLink()
    async with (
        roller_on(link, radius_m=0.075, axle="-y", battery_percent=50),
        central_on(link) as central,
    ):
        await central.connect()
        version, period, accel, gyro, axle, radius, _clock = struct.unpack(
            "<BIffBHI", await central.read(INFO)
        )
        assert (version, period, axle, radius) == (1, 10_000_000, 4, 750)
        assert accel == pytest.approx(ACCEL_LSB)
        assert gyro == 0.0
        assert struct.unpack("<HIHB", await central.read(STATUS)) == (0, 0, 3750, 0)
        assert await central.read(BATTERY_LEVEL) == bytes([50])
        assert await central.read(SERIAL_NUMBER) == b"rt-test-7"


async def test_every_sample_arrives_once_and_in_order():
    link = SimLink()
    async with roller_on(link, at_end="stop"), central_on(link) as central:
        motion = await (await central.connect()).subscribe()
        await motion.until(lambda: len(motion.counts) >= 500)
        assert motion.counts == list(range(500))
        assert motion.seqs == list(range(50))
        assert set(np.diff(motion.t_us)) == {100_000}
        assert not any(motion.overruns)


async def test_after_the_trace_the_roller_lies_still_and_keeps_sending():
    link = SimLink()
    async with roller_on(link, counting_trace(25)), central_on(link) as central:
        motion = await (await central.connect()).subscribe()
        await motion.until(lambda: len(motion.counts) >= 60)
        assert motion.counts[:25] == list(range(25))
        assert set(motion.counts[25:]) == {24}


async def test_smallest_mtu_gets_one_six_axis_sample_a_packet():
    link = SimLink()
    trace = counting_trace(20)
    six_axes = Trace(trace.t_s, trace.accel_mps2, np.zeros((20, 3)))
    async with roller_on(link, six_axes, at_end="stop"), central_on(link) as central:
        motion = await (await central.connect(mtu=None)).subscribe()
        await motion.until(lambda: len(motion.counts) >= 20)
        assert motion.counts == list(range(20))
        assert motion.seqs == list(range(20))


async def test_sends_nothing_before_run_is_set_and_starts_at_the_first_reading():
    link = SimLink()
    stopped = Config(run=False)
    async with roller_on(link, config=stopped, at_end="stop"), central_on(link) as central:
        motion = await (await central.connect()).subscribe()
        for _ in range(10):  # each is a round trip over the link
            await central.read(STATUS)
        assert motion.counts == []
        await central.write_config(Config(max_samples=5))
        await motion.until(lambda: len(motion.counts) >= 500)
        assert motion.counts == list(range(500))
        assert motion.seqs == list(range(100))


async def test_asking_for_a_rate_it_does_not_have_sets_the_nearest():
    link = SimLink()
    async with roller_on(link), central_on(link) as central:
        await central.connect()
        await central.write_config(Config(rate_hz=60, accel_full_scale_g=3))
        assert struct.unpack("<HBHBB", await central.read(CONFIG)) == (50, 2, 1000, 10, 1)
        period_ns = struct.unpack_from("<xI", await central.read(INFO))[0]
        assert period_ns == 20_000_000


@pytest.mark.parametrize("value", ["", "640008e8030a", "000008e8030a01", "640008e8030a02"])
async def test_a_config_out_of_range_is_refused(value):
    link = SimLink()
    async with roller_on(link), central_on(link) as central:
        await central.connect()
        before = await central.read(CONFIG)
        with pytest.raises(att.ATT_Error) as refusal:
            await central.characteristic(CONFIG).write_value(bytes.fromhex(value), True)
        assert refusal.value.error_code == att.ErrorCode.VALUE_NOT_ALLOWED
        assert await central.read(CONFIG) == before


async def test_a_link_too_slow_for_the_stream_is_counted_as_overrun():
    link = SimLink()
    config = Config(max_samples=1)
    async with (
        roller_on(link, config=config, interval_s=0.5, at_end="stop"),
        central_on(link) as central,
    ):
        motion = await (await central.connect()).subscribe()
        await motion.until(lambda: any(motion.overruns))
        lost = set(range(max(motion.counts))) - set(motion.counts)
        assert lost
        assert motion.seqs == motion.counts  # one sample a packet: a hole in one is a hole in both
        overruns, dropped = struct.unpack_from("<HI", await central.read(STATUS))
        assert overruns == dropped >= len(lost)


async def test_packets_leave_in_bursts_at_connection_events():
    link = SimLink()
    config = Config(max_samples=1)
    async with (
        roller_on(link, config=config, speed=1.0, interval_s=0.05, at_end="stop"),
        central_on(link) as central,
    ):
        motion = await (await central.connect()).subscribe()
        sizes = []
        while len(motion.counts) < 20:
            before = len(motion.counts)
            await motion.until(lambda before=before: len(motion.counts) > before)
            sizes.append(len(motion.counts) - before)
        assert max(sizes) >= 4


async def test_after_a_lost_link_the_trace_has_gone_on():
    link = SimLink()
    async with roller_on(link) as roller, central_on(link) as central:
        first = await (await central.connect()).subscribe()
        await first.until(lambda: len(first.counts) >= 50)
        roller.controller.lose_links()
        assert await asyncio.wait_for(central.gone, PATIENCE_S) == hci.HCI_CONNECTION_TIMEOUT_ERROR

        central.motion = Received()
        second = await (await central.connect()).subscribe()
        await second.until(lambda: len(second.counts) >= 50)
        assert second.counts[0] > first.counts[-1] + 1
        assert second.seqs[0] == first.seqs[-1] + 1
        assert second.t_us[0] - first.t_us[0] == second.counts[0] * 10_000


async def test_a_central_that_vanishes_without_a_word_times_out_and_frees_the_roller():
    link = SimLink()
    async with roller_on(link):
        async with central_on(link, "E0:00:00:00:00:01") as central:
            await central.connect()
        async with central_on(link, "E0:00:00:00:00:02") as other:
            await other.connect()
            assert await other.read(SERIAL_NUMBER) == b"rt-test-7"


async def test_a_central_may_use_its_public_address():
    link = SimLink()
    async with roller_on(link), central_on(link) as central:
        await central.connect(own=hci.OwnAddressType.PUBLIC)
        assert await central.read(SERIAL_NUMBER) == b"rt-test-7"


async def test_of_two_centrals_that_call_at_once_one_times_out():
    link = SimLink()
    async with (
        roller_on(link),
        central_on(link, "E0:00:00:00:00:01") as one,
        central_on(link, "E0:00:00:00:00:02") as two,
    ):
        reasons = asyncio.Queue()
        for central in (one, two):
            await central.device.power_on()
        for connection in await asyncio.gather(
            *(central.device.connect(hci.Address(ROLLER.address)) for central in (one, two))
        ):
            connection.on(connection.EVENT_DISCONNECTION, reasons.put_nowait)
        reason = await asyncio.wait_for(reasons.get(), PATIENCE_S)
        assert reason == hci.HCI_CONNECTION_TIMEOUT_ERROR
        (held,) = one.device.connections.values() or two.device.connections.values()
        peer = Peer(held)
        await peer.discover_all()
        (serial,) = peer.get_characteristics_by_uuid(UUID(SERIAL_NUMBER))
        assert await serial.read_value() == b"rt-test-7"


async def test_a_cancelled_connection_attempt_does_not_fire_later():
    link = SimLink()
    async with central_on(link) as central:
        await central.device.power_on()
        with pytest.raises(bumble.core.TimeoutError):
            await central.device.connect(hci.Address(ROLLER.address), timeout=0.1)
        async with roller_on(link):
            await central.connect()
            assert await central.read(SERIAL_NUMBER) == b"rt-test-7"


async def test_each_client_of_the_hub_has_its_own_radio():
    link = SimLink()
    other = Identity("Roller-8", "F0:5E:00:00:00:08", "rt-test-8")
    async with (
        Hub(link) as hub,
        roller_on(link),
        roller_on(link, identity=other),
        central_at(hub.port, "E0:00:00:00:00:01") as one,
        central_at(hub.port, "E0:00:00:00:00:02") as two,
    ):
        await one.connect(ROLLER.address)
        await two.connect(other.address)
        assert await one.read(SERIAL_NUMBER) == b"rt-test-7"
        assert await two.read(SERIAL_NUMBER) == b"rt-test-8"
        await asyncio.gather(one.subscribe(), two.subscribe())
        for motion in (one.motion, two.motion):
            await motion.until(lambda motion=motion: len(motion.counts) >= 100)
            assert motion.counts[:100] == list(range(100))


async def test_a_client_that_leaves_the_hub_frees_the_roller():
    link = SimLink()
    async with Hub(link) as hub, roller_on(link):
        async with central_at(hub.port, "E0:00:00:00:00:01") as first:
            await first.connect()
        async with central_at(hub.port, "E0:00:00:00:00:02") as second:
            await second.connect()
            assert await second.read(SERIAL_NUMBER) == b"rt-test-7"


async def test_nonsense_from_one_client_of_the_hub_leaves_the_others_alone():
    link = SimLink()
    async with Hub(link) as hub, roller_on(link), central_at(hub.port) as central:
        await central.connect()
        _, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(bytes(range(256)) * 4)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert await central.read(SERIAL_NUMBER) == b"rt-test-7"


async def test_the_hub_opens_only_on_loopback():
    with pytest.raises(UsageError, match="loopback"):
        Hub(SimLink(), "0.0.0.0")


async def test_a_taken_port_is_named():
    async with Hub(SimLink()) as hub:
        with pytest.raises(SimError, match=f"127.0.0.1:{hub.port}"):
            async with Hub(SimLink(), port=hub.port):
                pass


@asynccontextmanager
async def replaying(trace, *options):
    """`rolltrack-sim replay` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("rolltrack-sim"),
        *("replay", str(trace), "--ble", "tcp:127.0.0.1:0", "--speed", "20", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode()
        assert line.startswith("ready tcp:127.0.0.1:"), await process.stderr.read()
        yield process, int(line.rpartition(":")[2])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.process
async def test_replay_once_sends_all_says_goodbye_and_exits(tmp_path):
    write_trace(tmp_path / "counting.csv", counting_trace(205))
    async with (
        replaying(tmp_path / "counting.csv", "--once", "--radius-mm", "60") as (process, port),
        central_at(port) as central,
    ):
        await central.connect("F0:5E:00:00:00:01")
        assert struct.unpack_from("<BIffBH", await central.read(INFO))[5] == 600
        motion = await central.subscribe()
        await motion.until(lambda: len(motion.counts) >= 205)
        await asyncio.wait_for(central.gone, PATIENCE_S)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        assert motion.counts == list(range(205))
        assert motion.seqs == list(range(21))
        assert await process.stderr.read() == b""


@pytest.mark.process
async def test_sigterm_ends_a_replay_cleanly(tmp_path):
    write_trace(tmp_path / "counting.csv", counting_trace())
    async with (
        replaying(tmp_path / "counting.csv", "--count", "2") as (process, port),
        central_at(port) as central,
    ):
        await central.connect("F0:5E:00:00:00:02")
        assert await central.read(SERIAL_NUMBER) == b"rt-sim-2"
        process.terminate()
        await asyncio.wait_for(central.gone, PATIENCE_S)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        assert await process.stderr.read() == b""
