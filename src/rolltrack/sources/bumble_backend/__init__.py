"""A bleak backend on bumble: Bluetooth without the operating system, for simulator or bare adapter.

    bound = backend("tcp:127.0.0.1:6402")
    BleakScanner(backend=bound.scanner)
    BleakClient(device, backend=bound.client)
    await bound.close()

bumble is optional (`rolltrack[sim]`) and imported nowhere else.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolltrack.errors import UsageError

if TYPE_CHECKING:
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner

    from rolltrack.sources.bumble_backend.radio import Radio


@dataclass(frozen=True, slots=True)
class Backend:
    """Classes for bleak's `backend=` that share one radio.

    Attributes:
        scanner: for `BleakScanner`.
        client: for `BleakClient`.
        radio: the adapter behind both, opened at first use.
    """

    scanner: type[BaseBleakScanner]
    client: type[BaseBleakClient]
    radio: Radio

    async def close(self) -> None:
        """Let go of the adapter; connected clients see a disconnection."""
        await self.radio.close()


def backend(link: str) -> Backend:
    """Bind a link: "tcp:HOST:PORT", "usb:INDEX" or "serial:DEVICE"; nothing is opened yet.

    Raises:
        UsageError: the link is not one of these, or bumble is not installed.
    """
    transport = transport_name(link)
    if importlib.util.find_spec("bumble") is None:
        raise UsageError(
            f'The Bluetooth link "{link}" needs the optional package rolltrack[sim].',
            hint="Install it with: pip install 'rolltrack[sim]'",
        )
    # bumble takes 0.4 s to import and is optional: only who binds a link pays for it.
    from rolltrack.sources.bumble_backend.client import bind_client  # noqa: PLC0415
    from rolltrack.sources.bumble_backend.radio import Radio  # noqa: PLC0415
    from rolltrack.sources.bumble_backend.scanner import bind_scanner  # noqa: PLC0415

    radio = Radio(link, transport)
    return Backend(bind_scanner(radio), bind_client(radio), radio)


def transport_name(link: str) -> str:
    """The link in bumble's words.

    Raises:
        UsageError: it is not a link we know.
    """
    kind, _, rest = link.partition(":")
    host, _, port = rest.rpartition(":")
    if kind == "tcp" and host and port.isdecimal() and 0 < int(port) <= 65535:  # noqa: PLR2004 - largest TCP port
        return f"tcp-client:{rest}"
    if kind in {"usb", "serial"} and rest:
        return link
    raise UsageError(
        f'"{link}" is not a Bluetooth link.',
        hint='Use "os", "tcp:HOST:PORT", "usb:0" or "serial:/dev/ttyACM0".',
    )
