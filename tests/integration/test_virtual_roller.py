"""The virtual roller as a central sees it. The central is plain bumble: no rolltrack in here."""

import asyncio
import struct

import bumble.core
import numpy as np
import pytest
from bumble import att, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Peer
from support.central import (
    ACCEL_LSB,
    BATTERY_LEVEL,
    PATIENCE_S,
    ROLLER,
    SERIAL_NUMBER,
    Received,
    central_on,
    counting_trace,
    roller_on,
)

from firmware_sim.link import SimLink
from firmware_sim.packets import Config
from firmware_sim.profile import CONFIG, INFO, SERVICE, STATUS
from firmware_sim.trace import Trace


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
