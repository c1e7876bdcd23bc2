"""The Bluetooth source against virtual rollers in this process."""

import asyncio
import logging
import struct

import numpy as np
import pytest
from support.virtual_ble import Air, Heard, TamperedFirmware, running, turning_trace

from firmware_sim.firmware import Firmware
from rolltrack.config import BleConfig
from rolltrack.core.events import BatteryLevel, LinkChanged
from rolltrack.core.sample import ImuSamples
from rolltrack.errors import SensorNotFoundError
from rolltrack.sources.ble import BleSource


@pytest.fixture
async def air():
    async with Air() as air:
        yield air


@pytest.fixture
def heard():
    return Heard()


def source(air, **options) -> BleSource:
    return BleSource(BleConfig(link=air.where), **options)


async def test_readings_battery_and_identity_come_from_the_roller(air, heard):
    firmware = Firmware(turning_trace(), radius_m=0.06, axle="+z", battery_percent=42)
    await air.add(1, name="Anna has a long name", firmware=firmware)
    async with running(source(air), heard):
        await heard.until_samples("rt-1", 50)
    sensor, first = heard.items[0]
    assert (sensor.kind, sensor.sensor_id, sensor.name) == ("ble", "rt-1", "Anna has a long name")
    assert sensor.address == "F0:5E:00:00:00:01"
    assert (sensor.radius_m, sensor.axle) == (pytest.approx(0.06), (0.0, 0.0, 1.0))
    assert isinstance(first, LinkChanged)
    assert first.up
    assert heard.of("rt-1", BatteryLevel)[0].percent == 42
    block = heard.of("rt-1", ImuSamples)[0]
    norm = np.linalg.norm(block.accel_mps2, axis=1)
    np.testing.assert_allclose(norm, 9.81, atol=0.02)
    assert np.diff(heard.times("rt-1")) == pytest.approx(0.01)
    assert heard.gaps("rt-1") == []


async def test_when_the_source_is_cancelled_the_link_goes_down_and_the_roller_is_free(air, heard):
    await air.add()
    async with running(source(air), heard):
        await heard.until_samples("rt-1", 10)
    assert heard.of("rt-1", LinkChanged)[-1].up is False
    again = Heard()
    async with running(source(air), again):
        await again.until_samples("rt-1", 10)


async def test_three_rollers_with_one_name_are_three_rollers(air, heard):
    for number in (1, 2, 3):
        await air.add(number, name="Roller")
    async with running(source(air), heard):
        for number in (1, 2, 3):
            await heard.until_samples(f"rt-{number}", 20)
    assert {sensor.name for sensor, _ in heard.items} == {"Roller"}


async def test_rollers_without_or_with_a_copied_serial_number_go_by_their_address(air, heard):
    await air.add(1, serial="")
    await air.add(2, serial="copy")
    await air.add(3, serial="copy")
    async with running(source(air), heard):
        await heard.until(lambda: len({sensor.sensor_id for sensor, _ in heard.items}) == 3)
    ids = {sensor.sensor_id for sensor, _ in heard.items}
    assert "F0:5E:00:00:00:01" in ids
    assert "copy" in ids
    assert ids & {"F0:5E:00:00:00:02", "F0:5E:00:00:00:03"}


@pytest.mark.parametrize("wanted", ["rt-2", "F0:5E:00:00:00:02", "Berta"])
async def test_only_wanted_rollers_are_served(air, heard, wanted):
    await air.add(1, name="Anna")
    await air.add(2, name="Berta")
    async with running(source(air, wanted=wanted.__eq__), heard):
        await heard.until_samples("rt-2", 50)
    assert heard.of("rt-1") == []


async def test_an_unknown_profile_version_is_told_once_and_others_are_served(air, heard, caplog):
    caplog.set_level(logging.WARNING)
    newer = TamperedFirmware(turning_trace())
    newer.profile_version = 9
    await air.add(1, firmware=newer)
    await air.add(2)
    async with running(source(air), heard):
        await heard.until(lambda: any("version 9" in message for message in caplog.messages))
        await heard.until_samples("rt-2", 100)
    assert heard.of("rt-1") == []
    assert len([message for message in caplog.messages if "version 9" in message]) == 1


async def test_unusable_packets_are_skipped_and_leave_a_gap(air, heard, caplog):
    caplog.set_level(logging.WARNING)

    def tamper(packet: bytes) -> bytes:
        seq = struct.unpack_from("<H", packet)[0]
        if seq == 3:
            return packet[:-1]
        return packet[:7] + b"\0" if seq == 5 else packet

    firmware = TamperedFirmware(turning_trace())
    firmware.tamper = tamper
    await air.add(1, firmware=firmware)
    async with running(source(air), heard):
        await heard.until_samples("rt-1", 60)
    assert [gap.lost for gap in heard.gaps("rt-1")] == [10, 10]
    assert len([text for text in caplog.messages if "packet skipped" in text]) == 2


async def test_holes_in_the_sequence_become_gaps_of_the_right_size(air, heard):
    firmware = TamperedFirmware(turning_trace())
    firmware.tamper = lambda packet: (
        None if struct.unpack_from("<H", packet)[0] in {2, 6, 7} else packet
    )
    await air.add(1, firmware=firmware)
    async with running(source(air), heard):
        await heard.until_samples("rt-1", 80)
    gaps = heard.gaps("rt-1")
    assert [(gap.lost, gap.reason) for gap in gaps] == [(10, "packets_lost"), (20, "packets_lost")]
    assert gaps[0].end_s - gaps[0].start_s == pytest.approx(0.11)
    assert np.all(np.diff(heard.times("rt-1")) > 0)


async def test_a_lost_link_is_told_at_once_and_comes_back_as_a_gap(air, heard):
    roller = await air.add()
    async with running(source(air), heard):
        await heard.until_samples("rt-1", 30)
        roller.controller.lose_links()
        await heard.until(lambda: any(not each.up for each in heard.of("rt-1", LinkChanged)))
        before = heard.samples("rt-1")
        await heard.until_samples("rt-1", before + 30)
    assert [each.up for each in heard.of("rt-1", LinkChanged)] == [True, False, True, False]
    (gap,) = heard.gaps("rt-1")
    assert gap.reason == "link_lost"
    assert np.all(np.diff(heard.times("rt-1")) > 0)


async def test_a_roller_that_falls_silent_is_connected_again(air, heard):
    firmware = TamperedFirmware(turning_trace())
    await air.add(1, firmware=firmware)
    async with running(source(air), heard):
        await heard.until_samples("rt-1", 30)
        firmware.tamper = lambda _packet: None
        await heard.until(lambda: any(not each.up for each in heard.of("rt-1", LinkChanged)))
        firmware.tamper = lambda packet: packet
        before = heard.samples("rt-1")
        await heard.until_samples("rt-1", before + 30)
    (gap,) = heard.gaps("rt-1")
    assert gap.reason == "no_data"
    assert gap.end_s - gap.start_s > 2.0


async def test_a_roller_that_is_switched_on_later_is_found(air, heard, monkeypatch):
    monkeypatch.setattr("rolltrack.sources.ble.REST_S", 0.1)
    monkeypatch.setattr("rolltrack.sources.ble_finder.SCAN_WINDOW_S", 0.5)
    await air.add(1)
    async with running(source(air), heard):
        await heard.until_samples("rt-1", 10)
        await air.add(2)
        await heard.until_samples("rt-2", 10)


async def test_without_bluetooth_the_source_fails_with_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    with pytest.raises(SensorNotFoundError, match=r"D-Bus.*systemctl start"):
        await BleSource(BleConfig()).run(lambda *_: None)


async def test_a_missing_simulator_is_waited_for(heard, unused_tcp_port, caplog):
    caplog.set_level(logging.WARNING)
    waiting = BleSource(BleConfig(link=f"tcp:127.0.0.1:{unused_tcp_port}"))
    async with running(waiting, heard) as task:
        async with asyncio.timeout(10):
            while not caplog.messages:  # noqa: ASYNC110  # the log has no event
                await asyncio.sleep(0.01)
        async with Air(unused_tcp_port) as air:
            await air.add()
            await heard.until_samples("rt-1", 10)
        assert not task.done()
    assert len([text for text in caplog.messages if "No Bluetooth simulator" in text]) == 1


async def test_patience_with_a_missing_simulator_can_be_limited(unused_tcp_port):
    config = BleConfig(link=f"tcp:127.0.0.1:{unused_tcp_port}")
    with pytest.raises(SensorNotFoundError, match="rolltrack-sim replay"):
        await BleSource(config, patience_s=0.2).run(lambda *_: None)
