"""Events -> MQTT; topics and payloads are described in docs/mqtt.md."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rolltrack import wire
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.errors import UsageError
from rolltrack.sinks.mqtt_board import LIVE_PERIOD_S, RollerBoard
from rolltrack.sinks.mqtt_link import Login, MqttLink
from rolltrack.sinks.mqtt_outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rolltrack.config import MqttConfig
    from rolltrack.sinks.sink import Outgoing, Roller

_log = logging.getLogger(__name__)

IN_FLIGHT = 20
PATIENCE_S = 4.0
MAX_PORT = 65535


class MqttSink:
    """Publishes the events of all rollers of a site to one broker.

    The broker may be absent, die or refuse us at any time: finished things wait in memory until it
    takes them, and live speeds are left out. The session store is what keeps them over a restart.

    Raises (from `open`):
        UsageError: the address or the password file cannot be used.
    """

    name = "mqtt"
    wants_samples = False

    def __init__(self, config: MqttConfig, site: str, *, host: str, port: int) -> None:
        self._config = config
        self._host = host
        self._port = port
        self._topics = wire.Topics(site)
        # The same after a restart: the broker then drops a dead connection of ours, and its will.
        self._client_id = f"rolltrack-{site}"
        self._started_unix_s = time.time()
        self._boards: dict[Roller, RollerBoard] = {}
        self._outbox = Outbox()
        self._in_flight: dict[int, wire.Message] = {}
        self._delivered = asyncio.Event()
        self._said_dropping = False
        self._link: MqttLink | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Start connecting; does not wait for the broker."""
        _check_address(self._host, self._port)
        login = _login(self._config)
        if login and login.password and not _is_loopback(self._host):
            _log.warning("The MQTT password goes to %s unencrypted.", self._host)
        self._link = MqttLink(
            self._host,
            self._port,
            client_id=self._client_id,
            login=login,
            will=self._status(b"offline"),
            on_up=self._restate,
            on_ack=self._acknowledged,
            memories=self._topics.any_availability,
            on_memory=self._remembered,
        )
        self._outbox.put(self._status(b"online"))
        self._outbox.put(self._info())
        self._link.start()

    async def handle(self, roller: Roller, outgoing: Outgoing) -> None:
        """Publish, or keep for later, what follows from one event."""
        if isinstance(outgoing, ImuSamples | SignalGap):
            return
        board = self._boards.get(roller)
        if board is None:
            board = self._boards[roller] = RollerBoard(roller, self._topics)
            self._outbox.put(self._info())
        self._publish(board.take(outgoing, time.monotonic()))
        if board.holds:
            self._tick_later()

    async def close(self) -> None:
        """Deliver what waits, say goodbye, and disconnect; gives up after a few seconds."""
        if self._link is None:
            return
        if self._timer:
            self._timer.cancel()
        for board in self._boards.values():
            self._publish(board.leave())
        self._publish([self._status(b"offline")])
        await self._wait_for_delivery(self._link)
        await self._link.stop()

    async def _wait_for_delivery(self, link: MqttLink) -> None:
        def lasting() -> int:
            return self._outbox.kept + sum(m.keep for m in self._in_flight.values())

        if not link.up and not lasting():
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._delivered.wait()
        except TimeoutError:
            _log.error(
                "The MQTT broker at %s:%d did not take %d messages, %d session summaries among"
                " them. `rolltrack sessions list` still has the sessions.",
                self._host,
                self._port,
                len(self._outbox) + len(self._in_flight),
                lasting(),
            )

    def _publish(self, messages: Iterable[wire.Message]) -> None:
        for message in messages:
            if message.qos:
                self._outbox.put(message)
            elif self._link and self._link.up:
                self._link.send(message)
        self._pump()

    def _pump(self) -> None:
        """Keep paho supplied; the rest waits where a newer snapshot can still replace it."""
        while self._link and self._link.up and len(self._in_flight) < IN_FLIGHT:
            message = self._outbox.take()
            if message is None:
                break
            self._in_flight[self._link.send(message)] = message
        if self._outbox or self._in_flight:
            self._delivered.clear()
        else:
            self._delivered.set()
        if self._outbox.dropped and not self._said_dropping:
            self._said_dropping = True
            _log.warning("The MQTT broker has been away for long; dropping the oldest strokes.")

    def _acknowledged(self, number: int) -> None:
        self._in_flight.pop(number, None)
        self._pump()

    def _restate(self) -> None:
        self._outbox.restate(self._in_flight.values())
        self._in_flight.clear()
        self._pump()

    def _remembered(self, topic: str, availability: bytes) -> None:
        """Correct what an earlier life of this service, killed, left behind about a roller."""
        known = {self._topics.of_roller(r.athlete, r.id, "availability") for r in self._boards}
        if availability == b"online" and topic not in known:
            unknown = wire.encode(wire.StatePayload(ts=wire.unix_ms(time.time())))
            state = f"{topic.removesuffix('availability')}state"
            self._publish(
                [
                    wire.Message(topic, b"offline", retain=True),
                    wire.Message(state, unknown, retain=True),
                ]
            )

    def _tick_later(self) -> None:
        """Come back for what the boards hold, even if nothing else happens."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LIVE_PERIOD_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now_s = time.monotonic()
        for board in self._boards.values():
            self._publish(board.due(now_s))
        if any(board.holds for board in self._boards.values()):
            self._tick_later()

    def _status(self, status: bytes) -> wire.Message:
        return wire.Message(self._topics.bridge_status, status, retain=True)

    def _info(self) -> wire.Message:
        rollers = sorted(self._boards, key=lambda roller: roller.id)
        info = wire.BridgeInfo(
            ts=wire.unix_ms(self._started_unix_s),
            version=version("rolltrack"),
            started=wire.rfc3339(self._started_unix_s),
            sensors=tuple(
                wire.SensorInfo(roller=r.id, athlete=r.athlete, name=r.sensor) for r in rollers
            ),
        )
        return wire.Message(self._topics.bridge_info, wire.encode(info), retain=True)


def _check_address(host: str, port: int) -> None:
    try:
        usable = bool(host) and bool(host.encode("idna")) and 0 < port <= MAX_PORT
    except UnicodeError:
        usable = False
    if not usable:
        raise UsageError(
            f'"{host}:{port}" is not the address of a broker.',
            hint="Correct mqtt.broker, for example localhost:1883.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _login(config: MqttConfig) -> Login | None:
    if config.password_file is None:
        return Login(config.username) if config.username else None
    if not config.username:
        raise UsageError(
            "mqtt.password_file is set, but mqtt.username is not.", hint="MQTT needs both."
        )
    path = Path(config.password_file).expanduser()
    try:
        first_line = path.read_text(encoding="utf-8").split("\n", 1)[0]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise UsageError(
            f"Cannot read mqtt.password_file {path}: {reason}.",
            hint="Put the password on its first line.",
        ) from error
    return Login(config.username, first_line.rstrip("\r"))
