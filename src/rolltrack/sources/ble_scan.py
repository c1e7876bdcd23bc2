"""Who is in range: one look around, for `rolltrack scan`."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rolltrack.sensors.registry import SERVICE_UUIDS
from rolltrack.sources.ble_errors import not_available
from rolltrack.sources.ble_finder import LINK_ERRORS
from rolltrack.sources.ble_link import BleLink
from rolltrack.sources.ble_roller import read_serial_number

if TYPE_CHECKING:
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData


@dataclass(frozen=True, slots=True)
class RollerInRange:
    """An advertisement, and the serial number if the roller let us connect.

    Attributes:
        name: advertised name; may be shortened, is not unique.
        address: Bluetooth address (on macOS a made-up identifier).
        signal_dbm: received signal strength; closer to 0 is stronger.
        serial: serial number, None when it could not be read.
    """

    name: str
    address: str
    signal_dbm: int
    serial: str | None = None


async def scan(link_name: str, seconds: float) -> list[RollerInRange]:
    """Listen for so many seconds, then ask every roller for its serial number; strongest first.

    Raises:
        SensorNotFoundError: Bluetooth cannot be used here.
        UsageError: there is no such link.
    """
    link = BleLink(link_name)
    try:
        heard = await _listen(link, seconds)
        rollers = [
            replace(roller, serial=await _serial_number(link, device)) for device, roller in heard
        ]
    finally:
        await link.close()
    return sorted(rollers, key=lambda roller: -roller.signal_dbm)


async def _listen(link: BleLink, seconds: float) -> list[tuple[BLEDevice, RollerInRange]]:
    heard: dict[str, tuple[BLEDevice, RollerInRange]] = {}

    def on_seen(device: BLEDevice, advertisement: AdvertisementData) -> None:
        name = advertisement.local_name or device.name or ""
        heard[device.address] = device, RollerInRange(name, device.address, advertisement.rssi)

    try:
        async with link.scanner(on_seen, list(SERVICE_UUIDS)):
            await asyncio.sleep(seconds)
    except LINK_ERRORS as error:
        raise not_available(link.name, error) from error
    return list(heard.values())


async def _serial_number(link: BleLink, device: BLEDevice) -> str | None:
    with contextlib.suppress(*LINK_ERRORS, TimeoutError):  # out of range by now, or taken
        client = await link.connect(device, lambda _client: None)
        try:
            return await read_serial_number(client)
        finally:
            await client.disconnect()
    return None
