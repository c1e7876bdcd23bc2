"""One HCI shared by scanner and clients, opened at first use and again when it was lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, TypeVar

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakError,
)
from bumble import hci
from bumble.device import Device, DeviceConfiguration
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport
from bumble.transport.common import TransportLostError

from rolltrack.sources.bumble_backend.faults import as_bleak_errors

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bumble.device import Connection
    from bumble.transport.common import Transport

T = TypeVar("T")

OPEN_TIMEOUT_S = 5.0
# A controller answers commands within milliseconds; one that needs longer than this has hung.
COMMAND_TIMEOUT_S = 3.0


class Adapter:
    """One opened HCI. Once `lost` it stays lost; the radio opens another."""

    def __init__(self, device: Device, transport: Transport) -> None:
        self.device = device
        self.lost = False
        self._transport = transport
        self._connecting = asyncio.Lock()
        self._scans = 0
        device.on(Device.EVENT_FLUSH, self._on_flush)

    @property
    def usable(self) -> bool:
        """Whether the transport still stands."""
        return not self.lost

    async def scan(self, *, active: bool) -> None:
        """Start scanning, or join a scan that runs already."""
        self._scans += 1
        if self._scans == 1:
            await self.command(self.device.start_scanning(active=active, filter_duplicates=False))

    async def stop_scan(self) -> None:
        """Leave the scan; the last one out switches it off."""
        self._scans -= 1
        if self._scans == 0 and self.usable:
            await self.command(self.device.stop_scanning())

    async def connect(self, address: hci.Address) -> Connection:
        """Connect, however long it takes; cancelling leaves no request behind in the controller."""
        async with self._connecting:  # HCI allows one pending LE Create Connection
            pending = asyncio.ensure_future(self.device.connect(address, timeout=None))
            with as_bleak_errors(lambda: not pending.done()):
                try:
                    return await asyncio.shield(pending)
                except asyncio.CancelledError:
                    await self._abandon(pending)
                    raise

    async def command(self, exchange: Awaitable[T]) -> T:
        """Wait for an HCI exchange.

        Raises:
            BleakError: it failed, or the adapter does not answer and has been closed.
        """
        try:
            with as_bleak_errors(lambda: self.usable):
                async with asyncio.timeout(COMMAND_TIMEOUT_S):
                    return await exchange
        except TimeoutError:
            await self.close()
            raise BleakError("The Bluetooth adapter stopped answering") from None

    async def close(self) -> None:
        """Close the transport; every connection on it ends."""
        host = self.device.host
        self._transport.source.set_packet_sink(_Nobody())  # the host must not hear of it twice
        if host.pending_response is not None and not host.pending_response.done():
            host.pending_response.set_exception(TransportLostError("adapter closed"))
        host.emit("flush")
        await self._transport.close()

    async def _abandon(self, pending: asyncio.Future[Connection]) -> None:
        if not pending.done():
            cancel = hci.HCI_LE_Create_Connection_Cancel_Command()
            with contextlib.suppress(BleakError):  # refused when the connection has just come up
                await self.command(self.device.send_sync_command(cancel))
            await asyncio.wait([pending], timeout=COMMAND_TIMEOUT_S)
        if not pending.done():
            pending.cancel()
        elif not pending.cancelled() and pending.exception() is None:
            with contextlib.suppress(BleakError):
                await self.command(pending.result().disconnect())

    def _on_flush(self) -> None:
        self.lost = True


class _Nobody:
    """Takes what the transport of a closed adapter still delivers."""

    def on_packet(self, packet: bytes) -> None:
        """Drop it."""


class Radio:
    """A link's adapter, whichever is open at the moment.

    Args:
        link: as the user wrote it, for messages.
        transport: the same for bumble.
    """

    def __init__(self, link: str, transport: str) -> None:
        self.bonds = MemoryKeyStore()  # outlives a reopened adapter, not the process
        self._link = link
        self._transport = transport
        self._opening = asyncio.Lock()
        self._adapter: Adapter | None = None

    async def adapter(self) -> Adapter:
        """The open adapter; a lost one is replaced.

        Raises:
            BleakBluetoothNotAvailableError: nothing there, or it does not speak HCI.
        """
        async with self._opening:
            if self._adapter is None or self._adapter.lost:
                await self._discard()
                self._adapter = await self._open()
            return self._adapter

    async def close(self) -> None:
        """Close the adapter if one is open."""
        async with self._opening:
            await self._discard()

    async def _discard(self) -> None:
        if self._adapter is not None:
            await self._adapter.close()
            self._adapter = None

    async def _open(self) -> Adapter:
        _quieten_bumble()
        transport: Transport | None = None
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                transport = await open_transport(self._transport)
                device = self._make_device(transport)
                await device.power_on()
            return Adapter(device, transport)
        except BaseException as error:
            if transport is not None:
                await transport.close()
            if isinstance(error, Exception):  # each driver (TCP, USB, serial) has errors of its own
                raise _not_available(self._link, error) from error
            raise

    def _make_device(self, transport: Transport) -> Device:
        own = DeviceConfiguration(name="rolltrack", address=hci.Address.generate_static_address())
        device = Device.from_config_with_hci(own, transport.source, transport.sink)
        device.keystore = self.bonds
        device.pairing_config_factory = lambda _connection: PairingConfig(
            sc=True,
            mitm=False,
            bonding=True,
            delegate=PairingDelegate(PairingDelegate.NO_OUTPUT_NO_INPUT),
        )
        return device


def _not_available(link: str, error: Exception) -> BleakBluetoothNotAvailableError:
    why = str(error) or ("no answer" if isinstance(error, TimeoutError) else type(error).__name__)
    return BleakBluetoothNotAvailableError(
        f"Nothing answers at {link} ({why})", BleakBluetoothNotAvailableReason.NO_BLUETOOTH
    )


def _quieten_bumble() -> None:
    """Keep bumble's log to itself: it prints tracebacks for what is reported here as an error."""
    logger = logging.getLogger("bumble")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
