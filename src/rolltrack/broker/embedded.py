"""Starts a broker on a free loopback port, keeps it running, and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import socket
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from rolltrack.broker import mosquitto
from rolltrack.broker.process import BrokerProcess
from rolltrack.errors import BrokerError
from rolltrack.mqtt import Peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_log = logging.getLogger(__name__)

Kind: TypeAlias = Literal["mosquitto", "amqtt"]

HOST = "127.0.0.1"
RESTART_S = 1.0


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """A running broker: anybody on this machine may use it, nobody else can.

    Attributes:
        kind: which broker it is; mosquitto speaks MQTT 5 and 3.1.1, amqtt 3.1.1 only.
        host: always loopback.
        port: where it listens; the same after a restart.
        process: what runs it.
    """

    kind: Kind
    host: str
    port: int
    process: BrokerProcess = field(repr=False)

    @property
    def peer(self) -> Peer:
        """How to connect; amqtt never answers an MQTT 5 client."""
        return Peer(self.host, self.port, protocol="3.1.1" if self.kind == "amqtt" else "auto")


@contextlib.asynccontextmanager
async def embedded_broker(
    kind: Kind | Literal["auto"] = "auto", *, port: int = 0
) -> AsyncIterator[EmbeddedBroker]:
    """Run a broker for as long as the block lasts; it ends with this process, however that ends.

    Args:
        kind: "auto" takes mosquitto if it is installed, else amqtt.
        port: 0 for any free one.

    Raises:
        BrokerError: none is installed, or it does not start.
    """
    chosen = _installed() if kind == "auto" else kind
    with tempfile.TemporaryDirectory(prefix="rolltrack-broker-") as name:
        folder = Path(name)
        port = port or _free_port()
        process = BrokerProcess(_command(chosen, folder, port), HOST, port, log=folder / "log")
        keeper = None
        try:
            await process.start()
            keeper = asyncio.create_task(_keep_running(process, chosen), name="embedded-broker")
            yield EmbeddedBroker(chosen, HOST, port, process)
        finally:
            if keeper:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
            await process.stop()


def _installed() -> Kind:
    if mosquitto.find():
        return "mosquitto"
    if importlib.util.find_spec("amqtt"):
        return "amqtt"
    raise BrokerError(
        "There is no MQTT broker to start: neither mosquitto nor amqtt is installed.",
        hint="Install mosquitto, or `pip install 'rolltrack[broker]'`, or set mqtt.broker to a"
        " broker you have.",
    )


def _command(kind: Kind, folder: Path, port: int) -> list[str]:
    if kind == "mosquitto":
        guarded = mosquitto.command(folder, HOST, port)
        return [sys.executable, "-m", "rolltrack.broker.guard", *guarded]
    return [sys.executable, "-m", "rolltrack.broker.amqtt_process", HOST, str(port)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def _keep_running(process: BrokerProcess, kind: Kind) -> None:
    complaint = ""
    while True:
        await process.ended()
        if not complaint:
            _log.warning("The embedded MQTT broker (%s) ended; starting it again.", kind)
        try:
            await process.start()
            complaint = ""
        except BrokerError as error:
            if str(error) != complaint:
                complaint = str(error)
                _log.warning("%s", complaint)
            await asyncio.sleep(RESTART_S)
