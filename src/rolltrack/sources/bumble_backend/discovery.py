"""What a connected device offers, as bleak's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection

from rolltrack.sources.bumble_backend.scanner import full_uuid

if TYPE_CHECKING:
    from bumble.device import Peer

_ATT_WRITE_HEADER = 3


async def discover_services(peer: Peer, wanted: set[str] | None) -> BleakGATTServiceCollection:
    """Discover services (all, or the wanted ones) with everything in them."""
    found = BleakGATTServiceCollection()

    def largest_write() -> int:
        return peer.connection.att_mtu - _ATT_WRITE_HEADER

    await peer.discover_services()
    for service in peer.services:
        uuid = full_uuid(service.uuid)
        if wanted and uuid not in wanted:
            continue
        table = BleakGATTService(service, service.handle, uuid)
        found.add_service(table)
        await service.discover_characteristics()
        for characteristic in service.characteristics:
            entry = BleakGATTCharacteristic(
                characteristic,
                characteristic.handle,
                full_uuid(characteristic.uuid),
                list(gatt_char_props_to_strs(int(characteristic.properties))),
                largest_write,
                table,
            )
            found.add_characteristic(entry)
            for descriptor in await characteristic.discover_descriptors():
                found.add_descriptor(
                    BleakGATTDescriptor(
                        descriptor, descriptor.handle, full_uuid(descriptor.type), entry
                    )
                )
    return found
