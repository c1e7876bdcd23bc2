"""bleak's scanner and client on our backend, against virtual rollers."""

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)
from support.virtual_ble import Air

from rolltrack.sensors.decoders import roller_v1
from rolltrack.sources.bumble_backend import backend

BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"
TIMEOUT_S = 10


@pytest.fixture
async def air():
    async with Air() as air:
        yield air


@pytest.fixture
async def bound(air):
    bound = backend(air.where)
    yield bound
    await bound.close()


async def find(bound, address="F0:5E:00:00:00:01"):
    device = await BleakScanner.find_device_by_address(address, TIMEOUT_S, backend=bound.scanner)
    assert device is not None
    return device


async def test_scan_finds_rollers_by_their_service_and_tells_names_and_addresses(air, bound):
    await air.add(1, name="Anna")
    await air.add(2, name="Berta")
    seen = {}
    async with (
        asyncio.timeout(TIMEOUT_S),
        BleakScanner(
            service_uuids=[roller_v1.SERVICE_UUID.upper()], backend=bound.scanner
        ) as scanner,
    ):
        async for device, advertisement in scanner.advertisement_data():
            seen[device.address] = device.name
            assert roller_v1.SERVICE_UUID in advertisement.service_uuids
            if len(seen) == 2:
                break
    assert seen == {"F0:5E:00:00:00:01": "Anna", "F0:5E:00:00:00:02": "Berta"}


async def test_scan_for_another_service_sees_nothing(air, bound):
    await air.add()
    found = await BleakScanner.discover(0.3, service_uuids=["180d"], backend=bound.scanner)
    assert found == []


async def test_connect_read_write_and_be_notified(air, bound):
    await air.add(1, name="Anna")
    packets = asyncio.Queue()
    gone = asyncio.Event()
    async with BleakClient(
        await find(bound), lambda _client: gone.set(), backend=bound.client
    ) as client:
        assert client.is_connected
        assert client.mtu_size == 517
        assert client.name == "Anna"
        assert await client.read_gatt_char(BATTERY_LEVEL) == bytearray([87])
        wish = roller_v1.StreamConfig(50, 8, 1000, 4, run=True)
        await client.write_gatt_char(
            roller_v1.CONFIG_UUID, roller_v1.encode_config(wish), response=True
        )
        told = await client.read_gatt_char(roller_v1.CONFIG_UUID)
        assert roller_v1.parse_config(bytes(told)) == wish
        await client.start_notify(
            roller_v1.MOTION_UUID, lambda _, value: packets.put_nowait(bytes(value))
        )
        async with asyncio.timeout(TIMEOUT_S):
            sequence = [roller_v1.parse_motion(await packets.get()).seq for _ in range(3)]
        assert sequence == [0, 1, 2]
        await client.stop_notify(roller_v1.MOTION_UUID)
    assert gone.is_set()
    assert not client.is_connected


async def test_descriptors_are_discovered_and_can_be_read(air, bound):
    await air.add()
    async with BleakClient(await find(bound), backend=bound.client) as client:
        motion = client.services.get_characteristic(roller_v1.MOTION_UUID)
        (cccd,) = motion.descriptors
        assert await client.read_gatt_descriptor(cccd) == bytearray(2)
        # bleak itself refuses to write this descriptor, and the roller has no other.
        await client._backend.write_gatt_descriptor(cccd, b"\x01\x00")
        assert await client.read_gatt_descriptor(cccd) == bytearray(b"\x01\x00")


async def test_only_the_wanted_services_are_discovered(air, bound):
    await air.add()
    client = BleakClient(await find(bound), services=[roller_v1.SERVICE_UUID], backend=bound.client)
    async with client:
        assert [each.uuid for each in client.services] == [roller_v1.SERVICE_UUID]


async def test_what_the_roller_refuses_is_a_gatt_protocol_error(air, bound):
    await air.add()
    async with BleakClient(await find(bound), backend=bound.client) as client:
        with pytest.raises(BleakGATTProtocolError):
            await client.write_gatt_char(roller_v1.CONFIG_UUID, b"short", response=True)
        with pytest.raises(BleakError, match="cannot notify"):
            await client.start_notify(roller_v1.INFO_UUID, lambda *_: None)
        assert client.is_connected


async def test_a_bond_is_kept_under_the_rollers_address_until_it_is_undone(air, bound):
    await air.add()
    async with BleakClient(await find(bound), pair=True, backend=bound.client) as client:
        assert client._backend._connection.is_encrypted
        ((address, _),) = await bound.radio.bonds.get_all()
        assert address == "F0:5E:00:00:00:01"
        await client.pair()  # nothing left to do
        await client.unpair()
        assert not client.is_connected
    assert await bound.radio.bonds.get_all() == []


async def test_link_loss_calls_back_and_fails_what_was_waiting(air, bound):
    roller = await air.add()
    gone = asyncio.Event()
    client = BleakClient(await find(bound), lambda _client: gone.set(), backend=bound.client)
    await client.connect()
    reading = asyncio.create_task(client.read_gatt_char(roller_v1.INFO_UUID))
    await asyncio.sleep(0)
    roller.controller.lose_links()
    async with asyncio.timeout(TIMEOUT_S):
        await gone.wait()
        with pytest.raises(BleakError):
            await reading
    with pytest.raises(BleakError):
        await client.read_gatt_char(roller_v1.INFO_UUID)


async def test_an_address_alone_is_looked_for_on_the_air(air, bound):
    await air.add()
    async with BleakClient("f0:5e:00:00:00:01", timeout=TIMEOUT_S, backend=bound.client) as client:
        assert client.is_connected
    with pytest.raises(BleakDeviceNotFoundError, match="00:99"):
        await BleakClient("F0:5E:00:00:00:99", timeout=0.3, backend=bound.client).connect()


async def test_a_roller_that_has_left_times_out_and_connects_when_it_is_back(air, bound):
    roller = await air.add()
    device = await find(bound)
    await roller._device.stop_advertising()
    with pytest.raises(TimeoutError):
        await BleakClient(device, timeout=0.3, backend=bound.client).connect()
    await roller._device.start_advertising(auto_restart=True)
    async with BleakClient(device, timeout=TIMEOUT_S, backend=bound.client) as client:
        assert client.is_connected


async def test_a_cancelled_connect_leaves_nothing_behind(air, bound):
    roller = await air.add()
    device = await find(bound)
    await roller._device.stop_advertising()
    connecting = asyncio.create_task(BleakClient(device, backend=bound.client).connect())
    adapter = await bound.radio.adapter()
    async with asyncio.timeout(TIMEOUT_S):
        while not adapter.device.is_le_connecting:  # noqa: ASYNC110  # bumble has no event for it
            await asyncio.sleep(0.01)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert not adapter.device.is_le_connecting
    await roller._device.start_advertising(auto_restart=True)
    async with BleakClient(device, timeout=TIMEOUT_S, backend=bound.client) as client:
        assert client.is_connected


async def test_many_connects_at_once_wait_for_each_other(air, bound):
    for number in range(1, 6):
        await air.add(number)
    devices = [await find(bound, f"F0:5E:00:00:00:{number:02X}") for number in range(1, 6)]
    clients = [BleakClient(device, backend=bound.client) for device in devices]
    await asyncio.gather(*(client.connect() for client in clients))
    assert all(client.is_connected for client in clients)
    await asyncio.gather(*(client.disconnect() for client in clients))


async def test_a_closed_adapter_disconnects_everybody_and_the_next_use_opens_a_new_one(air, bound):
    await air.add()
    device = await find(bound)
    gone = asyncio.Event()
    client = BleakClient(device, lambda _client: gone.set(), backend=bound.client)
    await client.connect()
    first = await bound.radio.adapter()
    await bound.close()
    async with asyncio.timeout(TIMEOUT_S):
        await gone.wait()
    assert not client.is_connected
    async with BleakClient(device, timeout=TIMEOUT_S, backend=bound.client) as client:
        assert client.is_connected
        assert await bound.radio.adapter() is not first


async def test_nothing_behind_the_link_is_said_as_such(unused_tcp_port):
    bound = backend(f"tcp:127.0.0.1:{unused_tcp_port}")
    with pytest.raises(BleakBluetoothNotAvailableError, match=str(unused_tcp_port)):
        await BleakScanner.discover(0.1, backend=bound.scanner)


async def test_something_that_is_not_a_controller_is_given_up(monkeypatch):
    monkeypatch.setattr("rolltrack.sources.bumble_backend.radio.OPEN_TIMEOUT_S", 0.2)

    hung_up = asyncio.Event()

    async def never_answer(reader, writer):
        await reader.read(-1)
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as silent:
        host, port = silent.sockets[0].getsockname()
        bound = backend(f"tcp:{host}:{port}")
        with pytest.raises(BleakBluetoothNotAvailableError, match="no answer"):
            await BleakScanner.discover(0.1, backend=bound.scanner)
        async with asyncio.timeout(TIMEOUT_S):
            await hung_up.wait()
