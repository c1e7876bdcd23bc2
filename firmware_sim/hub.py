"""A TCP door to the air: every client gets a virtual Bluetooth controller of its own (in H4).

bumble's own `tcp-server` transport shares one controller among all clients, so that a second one
silently replaces the first.
"""

from __future__ import annotations

import asyncio
import contextlib
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

from bumble.transport.common import StreamPacketSink, StreamPacketSource

from firmware_sim.errors import SimError, UsageError
from firmware_sim.link import SimController

if TYPE_CHECKING:
    from firmware_sim.link import SimLink

CLOSE_S = 2.0


class Hub:
    """Listens while it is entered; `port` is then known.

    Args:
        link: the air.
        host: a loopback address; whoever reaches the port has a radio.
        port: TCP port, 0 for any free one.

    Raises:
        UsageError: the address is not a loopback one.
        SimError: the port is taken.
    """

    def __init__(self, link: SimLink, host: str = "127.0.0.1", port: int = 0) -> None:
        if not _is_loopback(host):
            raise UsageError(
                f"{host} is not a loopback address. Use 127.0.0.1: the hub has no lock."
            )
        self.host = host
        self.port = port
        self._link = link
        self._clients: set[_Client] = set()
        self._served = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._welcome, self.host, self.port)
        except OSError as error:
            raise SimError(
                f"Cannot listen on {self.host}:{self.port} ({error.strerror}). "
                "Choose another port, or 0 for a free one."
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        clients = list(self._clients)
        for client in clients:
            client.transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(*(client.terminated for client in clients))
        for client in self._clients:
            client.transport.abort()

    def _welcome(self) -> _Client:
        self._served += 1
        return _Client(f"hub-{self._served}", self._link, self._clients)


class _Sink(StreamPacketSink):
    """Writes to a client that may be gone: its radio still says goodbye to every connection."""

    def on_packet(self, packet: bytes) -> None:
        if not self.transport.is_closing():
            super().on_packet(packet)


class _Client(StreamPacketSource):
    """One TCP connection and its controller."""

    def __init__(self, name: str, link: SimLink, clients: set[_Client]) -> None:
        super().__init__()
        self._name = name
        self._link = link
        self._clients = clients

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # a TCP server makes these
        self.transport = transport
        self.controller = SimController(
            self._name, self._link, host_source=self, host=_Sink(transport)
        )
        self._clients.add(self)

    def pause_writing(self) -> None:
        self.controller.congested = True

    def resume_writing(self) -> None:
        self.controller.congested = False

    def connection_lost(self, exc: Exception | None) -> None:
        """The program that used this radio is gone, and so is the radio."""
        del exc
        self.controller.lose_links()
        self.controller.switch_off()
        self._clients.discard(self)
        self.on_transport_lost()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
