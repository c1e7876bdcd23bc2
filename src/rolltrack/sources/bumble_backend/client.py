"""One connection to one device."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDeviceNotFoundError, BleakError
from bumble.device import Peer

from rolltrack.sources.bumble_backend.discovery import discover_services
from rolltrack.sources.bumble_backend.faults import as_bleak_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from bleak.args import SizedBuffer
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.descriptor import BleakGATTDescriptor
    from bumble.device import Advertisement, Connection
    from bumble.hci import Address

    from rolltrack.sources.bumble_backend.radio import Adapter, Radio

LARGEST_MTU = 517
PAIRING_TIMEOUT_S = 30.0  # of the Security Manager (Vol 3, Part H, 3.4)
_CCCD = "00002902-0000-1000-8000-00805f9b34fb"


class BumbleClient(BaseBleakClient):
    """bleak's client on a `Radio`; use a subclass made by `bind_client`."""

    radio: ClassVar[Radio]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        services: set[str] | None = None,
        **_other_backends: Any,
    ) -> None:
        super().__init__(
            address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout
        )
        self._device: BLEDevice | None = None
        if isinstance(address_or_ble_device, BLEDevice):
            self._device = address_or_ble_device
        self._wanted_services = services
        self._adapter: Adapter | None = None
        self._connection: Connection | None = None
        self._subscribers: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        """The advertised name, else the address with dashes."""
        known = self._device.name if self._device else None
        return known or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """The ATT MTU of this connection."""
        return self._need_connection().att_mtu

    @property
    def is_connected(self) -> bool:
        """Whether the link is up, as far as the adapter has noticed."""
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect, agree on the MTU and discover everything.

        Raises:
            TimeoutError: the device did not answer in time.
            BleakDeviceNotFoundError: it was given by address and does not advertise.
            BleakError: no adapter, link lost on the way, or already connected.
        """
        if self._connection is not None:
            raise BleakError("Already connected")
        timeout_s = kwargs.get("timeout", self._timeout)
        self._adapter = await self.radio.adapter()
        address = await self._find(self._adapter, timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                self._connection = await self._adapter.connect(address)
                self._connection.once("disconnection", self._on_disconnection)
                with as_bleak_errors(lambda: self.is_connected):
                    peer = Peer(self._connection)
                    await peer.request_mtu(LARGEST_MTU)
                    if pair:
                        await self.pair()
                    self.services = await discover_services(peer, self._wanted_services)
        except BaseException:
            await self._abort()
            raise

    async def disconnect(self) -> None:
        """Disconnect; does nothing when not connected."""
        if self._connection is None or self._adapter is None:
            return
        with contextlib.suppress(BleakError):  # whatever went wrong, the link is gone afterwards
            await self._adapter.command(self._connection.disconnect())
        if self._connection is not None:
            self._on_disconnection()

    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        """Bond without a passkey ("just works"), or encrypt with the bond there is."""
        connection = self._need_connection()
        if connection.is_encrypted:
            return
        bonds = self.radio.bonds
        address = str(connection.peer_address)
        try:
            with as_bleak_errors(lambda: self.is_connected):
                async with asyncio.timeout(PAIRING_TIMEOUT_S):
                    if await bonds.get(address):
                        await connection.encrypt()
                        return
                    await connection.pair()
        except TimeoutError:
            raise BleakError("The device did not answer while pairing") from None
        # bumble files the bond under the identity address that the device tells, and would not
        # find it when the device comes back with the address it connects from.
        identity = str(connection.peer_address)
        keys = await bonds.get(identity)
        if keys is not None and identity != address:
            await bonds.update(address, keys)
            await bonds.delete(identity)

    async def unpair(self) -> None:
        """Forget the bond and disconnect."""
        for name, _keys in await self.radio.bonds.get_all():
            if name.split("/")[0].upper() == self.address.upper():
                await self.radio.bonds.delete(name)
        await self.disconnect()

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, **_kwargs: Any
    ) -> bytearray:
        """Read a characteristic; there is no cache, so `use_cached` would change nothing."""
        return await self._read(characteristic)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, **_kwargs: Any
    ) -> bytearray:
        """Read a descriptor; there is no cache, so `use_cached` would change nothing."""
        return await self._read(descriptor)

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        """Write a characteristic, with or without asking for a response."""
        self._need_connection()
        with as_bleak_errors(lambda: self.is_connected):
            await characteristic.obj.write_value(bytes(data), with_response=response)

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        """Write a descriptor and wait for the response."""
        self._need_connection()
        with as_bleak_errors(lambda: self.is_connected):
            await descriptor.obj.write_value(bytes(data), with_response=True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_kwargs: Any
    ) -> None:
        """Subscribe to notifications, or to indications where there are no notifications."""
        self._need_connection()
        if characteristic.handle in self._subscribers:
            raise BleakError("Characteristic notifications already started")
        if characteristic.get_descriptor(_CCCD) is None:
            raise BleakError(f"Characteristic {characteristic.uuid} cannot notify")

        def subscriber(value: bytes) -> None:
            callback(bytearray(value))

        self._subscribers[characteristic.handle] = subscriber
        try:
            with as_bleak_errors(lambda: self.is_connected):
                await characteristic.obj.subscribe(subscriber)
        except BaseException:
            self._subscribers.pop(characteristic.handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe; does nothing when not subscribed."""
        subscriber = self._subscribers.pop(characteristic.handle, None)
        if subscriber is not None:
            with as_bleak_errors(lambda: self.is_connected):
                await characteristic.obj.unsubscribe(subscriber)

    def _need_connection(self) -> Connection:
        if self._connection is None:
            raise BleakError("Not connected")
        return self._connection

    async def _read(self, attribute: BleakGATTCharacteristic | BleakGATTDescriptor) -> bytearray:
        self._need_connection()
        with as_bleak_errors(lambda: self.is_connected):
            return bytearray(await attribute.obj.read_value())

    async def _find(self, adapter: Adapter, timeout_s: float) -> Address:
        """The address with its type, which has to be seen on the air when only text was given."""
        if self._device is not None:
            known: Address = self._device.details
            return known
        found: asyncio.Future[Address] = asyncio.get_running_loop().create_future()

        def on_advertisement(advertisement: Advertisement) -> None:
            seen = advertisement.address.to_string(with_type_qualifier=False)
            if seen.upper() == self.address.upper() and not found.done():
                found.set_result(advertisement.address)

        adapter.device.on("advertisement", on_advertisement)
        await adapter.scan(active=False)
        try:
            async with asyncio.timeout(timeout_s):
                return await found
        except TimeoutError:
            raise BleakDeviceNotFoundError(self.address, f"{self.address} was not found") from None
        finally:
            adapter.device.remove_listener("advertisement", on_advertisement)
            await adapter.stop_scan()

    async def _abort(self) -> None:
        """Undo a connect that failed; nobody was connected, so nobody hears of a disconnection."""
        callback, self._disconnected_callback = self._disconnected_callback, None
        try:
            await self.disconnect()
        finally:
            self._disconnected_callback = callback

    def _on_disconnection(self, _reason: int = 0) -> None:
        self._connection = None
        self.services = None
        self._subscribers.clear()
        if self._disconnected_callback is not None:
            self._disconnected_callback()


def bind_client(radio: Radio) -> type[BumbleClient]:
    """A client class for one radio: bleak wants a class and constructs it itself."""
    return type("BumbleClient", (BumbleClient,), {"radio": radio, "__module__": __name__})
