"""What is said to a roller after connecting, before its readings come (docs/roller-gatt.md)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bleak.exc import BleakCharacteristicNotFoundError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_16

from rolltrack.sensors.decoders import roller_v1
from rolltrack.sensors.decoders.roller_v1 import RollerInfo, StreamConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from bleak import BleakClient

SERIAL_NUMBER = normalize_uuid_16(0x2A25)
DEVICE_NAME = normalize_uuid_16(0x2A00)
BATTERY_LEVEL = normalize_uuid_16(0x2A19)

# Far beyond any rolling, so that only knocks clip; the quantisation stays below the sensor's noise.
ACCEL_FULL_SCALE_G = 16
GYRO_FULL_SCALE_DPS = 2000
# A packet may collect readings for this long: live coaching must not wait for it.
PACKET_S = 0.1
_ATT_HEADER = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a connected roller is.

    Attributes:
        address: Bluetooth address (on macOS a made-up identifier).
        name: its full name; not unique.
        serial: serial number, None when it has none.
    """

    address: str
    name: str
    serial: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """Everything the user may call it by."""
        return tuple(each for each in (self.serial, self.address, self.name) if each)

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.names[:-1])})"


async def identify(client: BleakClient) -> Identity:
    """Ask who it is."""
    name = await _read_text(client, DEVICE_NAME) or client.name
    return Identity(client.address, name, await read_serial_number(client))


async def read_serial_number(client: BleakClient) -> str | None:
    """The serial number of the Device Information Service, None when there is none."""
    return await _read_text(client, SERIAL_NUMBER)


async def configure(client: BleakClient, rate_hz: int) -> tuple[RollerInfo, int]:
    """Ask for readings.

    Returns:
        The info in force afterwards, and how many samples a packet will hold at most.

    Raises:
        DecodeError: the roller speaks another version of the profile, or nonsense.
        BleakError: it refused, went away, or lacks a characteristic.
    """
    # The version comes first: another one may give config another meaning.
    roller_v1.parse_info(bytes(await client.read_gatt_char(roller_v1.INFO_UUID)))
    fitting = roller_v1.samples_that_fit(_mtu(client))
    max_samples = max(1, min(fitting, round(PACKET_S * rate_hz)))
    wish = StreamConfig(
        rate_hz=rate_hz,
        accel_full_scale_g=ACCEL_FULL_SCALE_G,
        gyro_full_scale_dps=GYRO_FULL_SCALE_DPS,
        max_samples=max_samples,
        run=True,
    )
    await client.write_gatt_char(
        roller_v1.CONFIG_UUID, roller_v1.encode_config(wish), response=True
    )
    info = roller_v1.parse_info(bytes(await client.read_gatt_char(roller_v1.INFO_UUID)))
    return info, max_samples


async def subscribe(
    client: BleakClient, *, motion: Callable[[bytes], None], battery: Callable[[int], None]
) -> None:
    """Let readings come, and the battery's charge in percent now and when it changes.

    Raises:
        BleakError: the roller refused its readings, or went away.
    """

    def on_battery(_characteristic: object, value: bytearray) -> None:
        if value:
            battery(value[0])

    await client.start_notify(roller_v1.MOTION_UUID, lambda _, value: motion(bytes(value)))
    if charge := await _read_if_there(client, BATTERY_LEVEL):
        battery(charge[0])
    with contextlib.suppress(BleakCharacteristicNotFoundError, BleakGATTProtocolError):
        await client.start_notify(BATTERY_LEVEL, on_battery)


def _mtu(client: BleakClient) -> int:
    """The ATT MTU; BlueZ's `mtu_size` always says 23, its write size tells the truth."""
    config = client.services.get_characteristic(roller_v1.CONFIG_UUID)
    if config is None:
        raise BleakCharacteristicNotFoundError(roller_v1.CONFIG_UUID)
    return config.max_write_without_response_size + _ATT_HEADER


async def _read_text(client: BleakClient, uuid: str) -> str | None:
    value = await _read_if_there(client, uuid)
    return bytes(value).decode("utf-8", "replace").strip("\0 \r\n\t") or None if value else None


async def _read_if_there(client: BleakClient, uuid: str) -> bytearray | None:
    """A characteristic that a roller may lack or keep to itself."""
    try:
        return await client.read_gatt_char(uuid)
    except (BleakCharacteristicNotFoundError, BleakGATTProtocolError):
        return None
