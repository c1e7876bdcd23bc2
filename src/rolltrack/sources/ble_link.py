"""A way to Bluetooth: the operating system's through plain bleak, or our own backend on bumble."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bleak import BleakClient, BleakScanner
from bleak_retry_connector import establish_connection

from rolltrack.sources.bumble_backend import Backend, backend

if TYPE_CHECKING:
    from collections.abc import Callable

    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

# The first attempt often fails on real adapters; who needs longer than this is out of range.
CONNECT_TIMEOUT_S = 15.0
CONNECT_ATTEMPTS = 3


class BleLink:
    """Makes scanners and connections on one link.

    Args:
        link: "os", "tcp:HOST:PORT", "usb:INDEX" or "serial:DEVICE".

    Raises:
        UsageError: it is none of these, or needs a package that is not installed.
    """

    def __init__(self, link: str) -> None:
        self.name = link
        self._bound: Backend | None = None if link == "os" else backend(link)

    @property
    def may_appear_later(self) -> bool:
        """Whether it is normal that nothing is there yet: the simulator may start after us."""
        return self.name.startswith("tcp:")

    def scanner(
        self, on_seen: Callable[[BLEDevice, AdvertisementData], None], service_uuids: list[str]
    ) -> BleakScanner:
        """A scanner for devices that advertise one of the services."""
        return BleakScanner(
            on_seen, service_uuids, backend=self._bound.scanner if self._bound else None
        )

    async def connect(
        self, device: BLEDevice, on_disconnected: Callable[[BleakClient], None]
    ) -> BleakClient:
        """Connect with a client made for this connection alone.

        Raises:
            BleakError: it failed.
            TimeoutError: it took too long; the device is probably out of range.
        """
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await establish_connection(
                BleakClient,
                device,
                device.name or device.address,
                disconnected_callback=on_disconnected,
                max_attempts=CONNECT_ATTEMPTS,
                backend=self._bound.client if self._bound else None,
            )

    async def close(self) -> None:
        """Let go of an adapter that we drive ourselves."""
        if self._bound is not None:
            await self._bound.close()
