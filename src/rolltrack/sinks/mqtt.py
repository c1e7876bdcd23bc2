"""Events -> MQTT; topics and payloads are described in docs/mqtt.md."""

from __future__ import annotations

import asyncio
import logging
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

from rolltrack import wire
from rolltrack.core.events import LiveSpeed, SessionEnded
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.mqtt import MqttLink
from rolltrack.sinks.mqtt_board import RollerBoard
from rolltrack.sinks.mqtt_outbox import Outbox
from rolltrack.sinks.mqtt_sessions import SessionSender
from rolltrack.wire import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rolltrack.core.events import Event
    from rolltrack.mqtt import Incoming, Peer
    from rolltrack.sinks.mqtt_sessions import SessionOutbox
    from rolltrack.sinks.sink import Gauges, Outgoing, Roller

_log = logging.getLogger(__name__)

IN_FLIGHT = 20
PATIENCE_S = 4.0
REPORT_S = 10.0


def link_of_site(peer: Peer, site: str) -> MqttLink:
    """The connection a service uses for its site; vanishing, it leaves `offline` behind.

    Raises:
        UsageError: the site is not a valid id.
    """
    topics = wire.Topics(site)
    will = catalogue.BRIDGE_STATUS.message(topics.bridge_status, b"offline")
    # The same after a restart: the broker then drops a dead connection of ours, and its will.
    return MqttLink(peer, client_id=f"rolltrack-{site}", will=will)


class MqttSink:
    """Publishes the events of all rollers of a site to one broker.

    The broker may be absent, die or refuse us at any time: strokes and alerts wait in memory until
    it takes them, sessions wait in the store, and live speeds are left out.

    Args:
        link: made by `link_of_site`; the sink starts and stops it.
        site: the id of this installation.
        gauges: figures to tell on `bridge/info`, beside our own.
        sessions: the store's outbox, told by `stored`; without one, sessions wait in memory too.
        receipts: keep a session in the outbox until an archive says that it is stored.
    """

    name = "mqtt"
    wants_samples = False

    def __init__(
        self,
        link: MqttLink,
        site: str,
        gauges: Gauges | None = None,
        *,
        sessions: SessionOutbox | None = None,
        receipts: bool = False,
    ) -> None:
        self._link = link
        self._topics = wire.Topics(site)
        self._started_unix_s = time.time()
        self._boards: dict[str, RollerBoard] = {}
        self._newest: dict[str, LiveSpeed] = {}
        self._gauges = {} if gauges is None else gauges
        self._said_counters: dict[str, int] = {}
        self._reporter: asyncio.Task[None] | None = None
        self._outbox = Outbox()
        self._in_flight: dict[int, wire.Message] = {}
        self._delivered = asyncio.Event()
        self._said_dropping = False
        self._timer: asyncio.TimerHandle | None = None
        self._sender = sessions and SessionSender(
            sessions,
            link,
            self._topics,
            receipts=receipts,
            keep=lambda message: self._publish([message]),
        )

    def stored(self, session_id: str) -> None:
        """The session is in the store, and in its outbox."""
        if self._sender:
            self._sender.stored(session_id)

    async def open(self) -> None:
        """Start connecting; does not wait for the broker."""
        peer = self._link.peer
        if peer.login and peer.login.password and not (peer.is_loopback or peer.tls):
            _log.warning("The MQTT password goes to %s unencrypted.", peer.host)
        self._link.when_up(self._restate)
        self._link.when_delivered(self._acknowledged)
        self._link.listen(self._topics.any_availability, self._remembered)
        self._outbox.put(self._status(b"online"))
        self._outbox.put(self._info())
        self._reporter = asyncio.create_task(self._report(), name="mqtt-report")
        if self._sender:
            self._sender.open()
        self._link.start()

    async def handle(self, roller: Roller, outgoing: Outgoing) -> None:
        """Publish, or keep for later, what follows from one event."""
        if isinstance(outgoing, ImuSamples | SignalGap):
            return
        board = self._boards.get(roller.id)
        if board is None:
            board = self._boards[roller.id] = RollerBoard(
                roller, self._topics, tells_sessions=self._sender is None
            )
            self._outbox.put(self._info())
        board.follow(roller)
        if self._sender and isinstance(outgoing, SessionEnded):
            self._sender.expect(outgoing.summary.session_id)
        if isinstance(outgoing, LiveSpeed):
            self._hold(roller.id, outgoing)
        else:
            self._let_go(roller.id)
            self._tell(board, outgoing)

    async def close(self) -> None:
        """Deliver what waits, say goodbye, and disconnect; gives up after a few seconds."""
        if self._reporter:
            self._reporter.cancel()
            await asyncio.gather(self._reporter, return_exceptions=True)
        if self._timer:
            self._timer.cancel()
        self._let_all_go()
        for board in self._boards.values():
            self._publish(board.leave())
        if self._sender:
            await self._sender.close(PATIENCE_S)
        self._publish([self._status(b"offline")])
        await self._wait_for_delivery()
        await self._link.stop()

    async def _wait_for_delivery(self) -> None:
        def lasting() -> int:
            return self._outbox.kept + sum(m.keep for m in self._in_flight.values())

        if not self._link.up and not lasting():
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._delivered.wait()
        except TimeoutError:
            _log.error(
                "The MQTT broker at %s did not take %d messages, %d session summaries among"
                " them. `rolltrack sessions list` still has the sessions.",
                self._link.peer,
                len(self._outbox) + len(self._in_flight),
                lasting(),
            )

    def _publish(self, messages: Iterable[wire.Message]) -> None:
        for message in messages:
            if message.qos:
                self._outbox.put(message)
            elif self._link.up:
                self._link.send(message)
        self._pump()

    def _pump(self) -> None:
        """Keep paho supplied; the rest waits where a newer snapshot can still replace it."""
        while self._link.up and len(self._in_flight) < IN_FLIGHT:
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

    def _remembered(self, message: Incoming) -> None:
        """Correct what an earlier life of this service, killed, left behind about a roller."""
        topic, availability = message.topic, message.body
        if not message.retain:  # our own, as it goes out
            return
        rollers = [board.roller for board in self._boards.values()]
        known = {self._topics.of_roller(r.athlete, r.id, "availability") for r in rollers}
        if availability == b"online" and topic not in known:
            unknown = wire.StatePayload(ts=wire.unix_ms(time.time()))
            state = f"{topic.removesuffix('availability')}state"
            self._publish(
                [
                    catalogue.AVAILABILITY.message(topic, b"offline"),
                    catalogue.STATE.message(state, unknown),
                ]
            )

    def _hold(self, roller_id: str, live: LiveSpeed) -> None:
        """A packet gives several speeds at once; only the newest is worth a message."""
        if not self._newest:
            asyncio.get_running_loop().call_soon(self._let_all_go)
        self._newest[roller_id] = live

    def _let_go(self, roller_id: str) -> None:
        live = self._newest.pop(roller_id, None)
        if live is not None:
            self._tell(self._boards[roller_id], live)

    def _let_all_go(self) -> None:
        for roller_id in list(self._newest):
            self._let_go(roller_id)

    def _tell(self, board: RollerBoard, event: Event) -> None:
        self._publish(board.take(event, time.monotonic()))
        if board.holds:
            self._tick_later()

    def _tick_later(self) -> None:
        """Come back for what the boards hold, even if nothing else happens."""
        if self._timer is None:
            due_s = min(board.due_at_s() for board in self._boards.values()) - time.monotonic()
            self._timer = asyncio.get_running_loop().call_later(max(0.0, due_s), self._tick)

    def _tick(self) -> None:
        self._timer = None
        now_s = time.monotonic()
        for board in self._boards.values():
            self._publish(board.due(now_s))
        if any(board.holds for board in self._boards.values()):
            self._tick_later()

    async def _report(self) -> None:
        """Say how we fare, when that has changed, and that quiet rollers are still there."""
        while True:
            await asyncio.sleep(REPORT_S)
            for board in self._boards.values():
                self._publish(board.again())
            if self._counters() != self._said_counters:
                self._publish([self._info()])

    def _counters(self) -> dict[str, int]:
        counters = {name: read() for name, read in self._gauges.items()}
        return counters | {
            "sessions_undelivered": self._sender.waiting if self._sender else self._outbox.kept,
            "broker_waiting": len(self._outbox) + len(self._in_flight),
            "broker_dropped": self._outbox.dropped,
            "broker_connections": self._link.counts["connected"],
            "broker_faults": self._link.counts["faults"],
        }

    def _status(self, status: bytes) -> wire.Message:
        return catalogue.BRIDGE_STATUS.message(self._topics.bridge_status, status)

    def _info(self) -> wire.Message:
        self._said_counters = self._counters()
        rollers = [self._boards[name].roller for name in sorted(self._boards)]
        info = wire.BridgeInfo(
            ts=wire.unix_ms(self._started_unix_s),
            version=version("rolltrack"),
            started=wire.rfc3339(self._started_unix_s),
            sensors=tuple(
                wire.SensorInfo(roller=r.id, athlete=r.athlete, name=r.sensor) for r in rollers
            ),
            counters=self._said_counters,
        )
        return catalogue.BRIDGE_INFO.message(self._topics.bridge_info, info)
