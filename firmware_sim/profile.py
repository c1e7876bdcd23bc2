"""The roller's GATT table and advertisement, as docs/roller-gatt.md has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bumble import att
from bumble.core import UUID, AdvertisingData
from bumble.gatt import (
    GATT_BATTERY_LEVEL_CHARACTERISTIC,
    GATT_BATTERY_SERVICE,
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    GATT_DEVICE_INFORMATION_SERVICE,
    GATT_FIRMWARE_REVISION_STRING_CHARACTERISTIC,
    GATT_MANUFACTURER_NAME_STRING_CHARACTERISTIC,
    GATT_MODEL_NUMBER_STRING_CHARACTERISTIC,
    GATT_SERIAL_NUMBER_STRING_CHARACTERISTIC,
    Characteristic,
    CharacteristicValue,
    Descriptor,
    Service,
)

from firmware_sim.packets import encode_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from bumble.device import Connection, Device

    from firmware_sim.firmware import Firmware

_BASE = "5687{:04x}-b39a-47c8-84ab-ffc63f9b076a"
SERVICE, MOTION, CONFIG, INFO, STATUS = (_BASE.format(n) for n in range(1, 6))

ADVERTISED_NAME_BYTES = 8

Octets: TypeAlias = Characteristic[bytes]

_READ = Characteristic.Properties.READ
_WRITE = Characteristic.Properties.WRITE
_NOTIFY = Characteristic.Properties.NOTIFY
_READABLE, _WRITEABLE = att.Attribute.READABLE, att.Attribute.WRITEABLE


@dataclass(frozen=True, slots=True)
class Identity:
    """What a roller calls itself.

    Attributes:
        name: its first 8 bytes are advertised.
        address: random static Bluetooth address.
        serial: serial number; this is what identifies it.
    """

    name: str = "Roller"
    address: str = "F0:5E:00:00:00:01"
    serial: str = "rt-sim-1"


@dataclass(frozen=True, slots=True)
class Profile:
    """The characteristics that notify."""

    motion: Octets
    status: Octets


def add_profile(
    device: Device,
    firmware: Firmware,
    identity: Identity,
    *,
    now_s: Callable[[], float],
    write_config: Callable[[Connection, bytes], None],
) -> Profile:
    """Give a device the roller's services.

    Args:
        device: without services so far.
        firmware: answers for info, status, config and battery.
        identity: answers for the device information.
        now_s: device time since power-on.
        write_config: called with what a central writes; raises `att.ATT_Error` to refuse it.
    """
    config: Octets = Characteristic(
        CONFIG,
        _READ | _WRITE,
        _READABLE | _WRITEABLE,
        CharacteristicValue(read=lambda _: encode_config(firmware.config), write=write_config),
    )
    info: Octets = Characteristic(
        INFO, _READ, _READABLE, CharacteristicValue(read=lambda _: firmware.info(now_s()))
    )
    profile = Profile(
        motion=_notifying(device, MOTION, _NOTIFY, b""),
        status=_notifying(
            device, STATUS, _READ | _NOTIFY, CharacteristicValue(read=lambda _: firmware.status())
        ),
    )
    battery = _notifying(
        device,
        GATT_BATTERY_LEVEL_CHARACTERISTIC,
        _READ | _NOTIFY,
        CharacteristicValue(read=lambda _: bytes([firmware.battery_percent])),
    )
    device.add_services(
        [
            Service(SERVICE, [profile.motion, config, info, profile.status]),
            Service(GATT_BATTERY_SERVICE, [battery]),
            _device_information(identity),
        ]
    )
    return profile


def advertisement(name: str) -> bytes:
    """Flags, service and name in one packet: bumble's link never delivers scan responses."""
    octets = name.encode()
    whole = len(octets) <= ADVERTISED_NAME_BYTES
    kind = AdvertisingData.COMPLETE_LOCAL_NAME if whole else AdvertisingData.SHORTENED_LOCAL_NAME
    flags = (
        AdvertisingData.LE_GENERAL_DISCOVERABLE_MODE_FLAG
        | AdvertisingData.BR_EDR_NOT_SUPPORTED_FLAG
    )
    services = AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS
    return bytes(
        AdvertisingData(
            [
                (AdvertisingData.FLAGS, bytes([flags])),
                (services, bytes(UUID(SERVICE))),
                (kind, octets[:ADVERTISED_NAME_BYTES]),
            ]
        )
    )


def _notifying(
    device: Device,
    uuid: UUID | str,
    properties: Characteristic.Properties,
    value: bytes | CharacteristicValue[bytes],
) -> Octets:
    """A characteristic with a subscription descriptor of its own.

    The one that bumble adds by itself ignores the permissions of the characteristic.
    """
    descriptor = Descriptor(
        GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR, _READABLE | _WRITEABLE
    )
    characteristic: Octets = Characteristic(uuid, properties, _READABLE, value, [descriptor])
    descriptor.value = device.gatt_server.make_descriptor_value(characteristic)
    return characteristic


def _device_information(identity: Identity) -> Service:
    texts = {
        GATT_MANUFACTURER_NAME_STRING_CHARACTERISTIC: "rolltrack",
        GATT_MODEL_NUMBER_STRING_CHARACTERISTIC: "virtual roller",
        GATT_SERIAL_NUMBER_STRING_CHARACTERISTIC: identity.serial,
        GATT_FIRMWARE_REVISION_STRING_CHARACTERISTIC: "1",
    }
    return Service(
        GATT_DEVICE_INFORMATION_SERVICE,
        [Characteristic(uuid, _READ, _READABLE, text.encode()) for uuid, text in texts.items()],
    )
