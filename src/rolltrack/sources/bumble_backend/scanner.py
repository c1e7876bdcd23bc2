"""Scanning for advertisements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bleak.assigned_numbers import AdvertisementDataType as Field
from bleak.backends.scanner import (
    AdvertisementData,
    AdvertisementDataCallback,
    BaseBleakScanner,
)
from bumble.core import UUID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bumble.device import Advertisement

    from rolltrack.sources.bumble_backend.radio import Adapter, Radio

_UUID_SIZE = {
    Field.INCOMPLETE_LIST_SERVICE_UUID16: 2,
    Field.COMPLETE_LIST_SERVICE_UUID16: 2,
    Field.INCOMPLETE_LIST_SERVICE_UUID32: 4,
    Field.COMPLETE_LIST_SERVICE_UUID32: 4,
    Field.INCOMPLETE_LIST_SERVICE_UUID128: 16,
    Field.COMPLETE_LIST_SERVICE_UUID128: 16,
}
_SERVICE_DATA_UUID_SIZE = {
    Field.SERVICE_DATA_UUID16: 2,
    Field.SERVICE_DATA_UUID32: 4,
    Field.SERVICE_DATA_UUID128: 16,
}
_COMPANY_SIZE = 2


class BumbleScanner(BaseBleakScanner):
    """bleak's scanner on a `Radio`; use a subclass made by `bind_scanner`."""

    radio: ClassVar[Radio]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **_other_backends: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode != "passive"
        self._adapter: Adapter | None = None

    async def start(self) -> None:
        """Start scanning; see the base class."""
        adapter = await self.radio.adapter()
        self.seen_devices = {}
        adapter.device.on("advertisement", self._on_advertisement)
        try:
            await adapter.scan(active=self._active)
        except BaseException:
            adapter.device.remove_listener("advertisement", self._on_advertisement)
            raise
        self._adapter = adapter

    async def stop(self) -> None:
        """Stop scanning; does nothing when the scan does not run."""
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            adapter.device.remove_listener("advertisement", self._on_advertisement)
            await adapter.stop_scan()

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        data = parse_advertisement(
            advertisement.data.ad_structures, advertisement.rssi, (advertisement,)
        )
        if not self.is_allowed_uuid(data.service_uuids):
            return
        address = advertisement.address.to_string(with_type_qualifier=False)
        device = self.create_or_update_device(
            address, address, data.local_name, advertisement.address, data
        )
        self.call_detection_callbacks(device, data)


def bind_scanner(radio: Radio) -> type[BumbleScanner]:
    """A scanner class for one radio: bleak wants a class and constructs it itself."""
    return type("BumbleScanner", (BumbleScanner,), {"radio": radio, "__module__": __name__})


def parse_advertisement(
    fields: Iterable[tuple[int, bytes]], rssi: int, platform_data: tuple[Any, ...] = ()
) -> AdvertisementData:
    """Sort an advertisement's fields; those too short for their type are skipped."""
    name: str | None = None
    tx_power: int | None = None
    uuids: list[str] = []
    manufacturer_data: dict[int, bytes] = {}
    service_data: dict[str, bytes] = {}
    for kind, raw in fields:
        if kind in {Field.COMPLETE_LOCAL_NAME, Field.SHORTENED_LOCAL_NAME}:
            name = raw.decode("utf-8", "replace")
        elif kind in _UUID_SIZE:
            size = _UUID_SIZE[Field(kind)]
            whole = range(0, len(raw) - size + 1, size)
            uuids += [full_uuid(UUID.from_bytes(raw[at : at + size])) for at in whole]
        elif kind in _SERVICE_DATA_UUID_SIZE:
            size = _SERVICE_DATA_UUID_SIZE[Field(kind)]
            if len(raw) >= size:
                service_data[full_uuid(UUID.from_bytes(raw[:size]))] = raw[size:]
        elif kind == Field.MANUFACTURER_SPECIFIC_DATA and len(raw) >= _COMPANY_SIZE:
            company = int.from_bytes(raw[:_COMPANY_SIZE], "little")
            manufacturer_data[company] = raw[_COMPANY_SIZE:]
        elif kind == Field.TX_POWER_LEVEL and raw:
            tx_power = int.from_bytes(raw[:1], "little", signed=True)
    return AdvertisementData(
        name, manufacturer_data, service_data, uuids, tx_power, rssi, platform_data
    )


def full_uuid(uuid: UUID) -> str:
    """Lower-case 128-bit text, as bleak compares them."""
    digits = uuid.to_bytes(force_128=True)[::-1].hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
