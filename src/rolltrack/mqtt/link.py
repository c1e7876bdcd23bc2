"""A connection to a broker as the event loop sees it: made again whenever it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING

from rolltrack.mqtt.client import Incoming, Version, WireClient
from rolltrack.mqtt.topic_filter import matches

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolltrack.mqtt.faults import Fault
    from rolltrack.mqtt.peer import Peer
    from rolltrack.wire import Message

__all__ = ["Incoming", "MqttLink"]

_log = logging.getLogger(__name__)

ANSWER_S = 2.0
"""Some brokers never answer an MQTT 5 greeting; after so long we speak 3.1.1."""
WATCH_S = 5.0
GOODBYE_S = 1.0
BRIEF_S = 5.0
BRIEF_CONNECTIONS = 3
"""So many connections in a row that last no longer than `BRIEF_S` are no accident."""


class MqttLink:
    """One connection to one broker; methods and callbacks belong to one event loop.

    `when_delivered` names messages of QoS 1 that the broker has; what it has not named by the next
    `when_up` has to be sent again.

    Args:
        peer: the broker.
        client_id: our name there; a broker keeps one connection of a name.
        will: what the broker publishes should we vanish.
        persistent: the broker keeps what arrives for our subscriptions while we are away.
        manual_ack: messages count as received only once `confirm` says so.

    Attributes:
        up: whether the broker has accepted us, and nothing has gone wrong since.
        protocol: the MQTT version in use, None while not known.
        counts: what happened so far: "connected", "lost", "sent", "received", "faults".
    """

    def __init__(
        self,
        peer: Peer,
        *,
        client_id: str,
        will: Message | None = None,
        persistent: bool = False,
        manual_ack: bool = False,
    ) -> None:
        self.peer = peer
        self.up = False
        self.protocol: Version | None = None
        self.counts: Counter[str] = Counter()
        self._client_id = client_id
        self._will = will
        self._persistent = persistent
        self._manual_ack = manual_ack
        self._listeners: list[tuple[str, int, Callable[[Incoming], None]]] = []
        self._up_listeners: list[Callable[[], None]] = []
        self._listening_listeners: list[Callable[[], None]] = []
        self._delivery_listeners: list[Callable[[int], None]] = []
        self._client: WireClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._up_since_s = 0.0
        self._brief = 0
        self._said = ""
        self._stopping = False
        self._ended = asyncio.Event()

    def listen(self, topic_filter: str, take: Callable[[Incoming], None], *, qos: int = 1) -> None:
        """Subscribe, now and at every new connection; `take` gets what fits."""
        self._listeners.append((topic_filter, qos, take))
        if self.up and self._client:
            self._client.subscribe([(topic_filter, qos)])

    def when_up(self, act: Callable[[], None]) -> None:
        """Call `act` whenever the broker has accepted us."""
        self._up_listeners.append(act)

    def when_listening(self, act: Callable[[], None]) -> None:
        """Call `act` whenever the broker has answered what `listen` asked for."""
        self._listening_listeners.append(act)

    def when_delivered(self, act: Callable[[int], None]) -> None:
        """Call `act` with the number of every message that the broker has."""
        self._delivery_listeners.append(act)

    def start(self) -> None:
        """Begin connecting, and keep at it; once only."""
        if self._client is None:
            self._loop = asyncio.get_running_loop()
            chosen = self.peer.protocol
            self._begin("5" if chosen == "auto" else chosen)
            self._watch()

    def send(self, message: Message) -> int:
        """Hand a message over; returns the number that `when_delivered` will name.

        Messages of QoS 0 are lost while the link is not up.
        """
        assert self._client is not None, "the link has not been started"  # noqa: S101 - a programming error
        self.counts["sent"] += 1
        return self._client.send(message)

    def confirm(self, message: Incoming) -> None:
        """Tell the broker that a message is safe, with `manual_ack`."""
        if self._client:
            self._client.confirm(message)

    async def stop(self) -> None:
        """Disconnect for good; not a moment longer than needed."""
        if self._client is None or self._stopping:
            return
        was_up, self.up, self._stopping = self.up, False, True
        self._client.stop()
        if was_up:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._ended.wait()

    def _watch(self) -> None:
        """The network thread must never be missed silently."""
        if self._stopping or self._client is None or self._loop is None:
            return
        if self._client.revive():
            self.counts["faults"] += 1
            _log.error("The MQTT connection to %s had stopped by a fault; it goes on.", self.peer)
        self._loop.call_later(WATCH_S, self._watch)

    def _begin(self, version: Version) -> None:
        self._client = WireClient(
            self.peer,
            version,
            client_id=self._client_id,
            will=self._will,
            persistent=self._persistent,
            manual_ack=self._manual_ack,
            listener=self,
        )
        self._client.start()

    def _speak_older(self, client: WireClient) -> None:
        """Whatever listens there does not understand MQTT 5."""
        client.stop()
        self._begin("3.1.1")

    def _may_speak_older(self, client: WireClient) -> bool:
        return (
            self.peer.protocol == "auto" and client.version == "5" and self.protocol is None
        ) and not self._stopping

    # The network thread calls these; they only pass the news on.

    def opened(self, client: WireClient) -> None:
        """There is a connection to the port."""
        self._tell(client, self._opened)

    def answered(self, client: WireClient, failure: str) -> None:
        """The broker has accepted us (empty), or refused."""
        self._tell(client, self._refused if failure else self._connected, failure)

    def failed(self, client: WireClient, fault: Fault | None) -> None:
        """No connection could be made."""
        self._tell(client, self._unreachable, fault)

    def subscribed(self, client: WireClient) -> None:
        """The broker has answered a request to listen."""
        self._tell(client, self._subscribed)

    def lost(self, client: WireClient, reason: str, fault: Fault | None) -> None:
        """The connection is gone."""
        self._tell(client, self._lost, reason, fault)

    def delivered(self, client: WireClient, mid: int) -> None:
        """The broker has this message."""
        self._tell(client, self._delivered, mid)

    def received(self, client: WireClient, message: Incoming) -> None:
        """A message came."""
        self._tell(client, self._received, message)

    def _tell(self, client: WireClient, news: Callable[..., None], *args: object) -> None:
        if self._loop:
            self._loop.call_soon_threadsafe(self._take, client, news, args)

    def _take(
        self, client: WireClient, news: Callable[..., None], args: tuple[object, ...]
    ) -> None:
        if client is self._client:  # an abandoned one may still talk
            news(*args)

    # The event loop calls these.

    def _opened(self) -> None:
        client = self._client
        assert client is not None  # noqa: S101 - `_take` has looked
        if self._may_speak_older(client) and self._loop:
            self._loop.call_later(ANSWER_S, self._give_up_on_answer, client)

    def _give_up_on_answer(self, client: WireClient) -> None:
        if client is self._client and self._may_speak_older(client):
            self._speak_older(client)

    def _connected(self, _failure: str) -> None:
        client = self._client
        assert client is not None  # noqa: S101 - `_take` has looked
        self.up, self.protocol = True, client.version
        self.counts["connected"] += 1
        self._up_since_s = time.monotonic()
        if self._brief < BRIEF_CONNECTIONS:
            self._say("connected", logging.INFO, "Connected to the MQTT broker at %s.")
        client.subscribe([(topic_filter, qos) for topic_filter, qos, _ in self._listeners])
        for act in self._up_listeners:
            self._guarded(act)

    def _subscribed(self) -> None:
        for act in self._listening_listeners:
            self._guarded(act)

    def _refused(self, reason: str) -> None:
        client = self._client
        if client and "protocol version" in reason.lower() and self._may_speak_older(client):
            self._speak_older(client)
            return
        self._say(
            "refused",
            logging.ERROR,
            "The MQTT broker at %s refuses the connection: %s. Check mqtt.username and"
            " mqtt.password_file; trying again.",
            reason,
        )

    def _unreachable(self, fault: Fault | None) -> None:
        if fault and fault.tls:
            self._say_tls(fault)
            return
        reason = fault.said.rstrip(".") if fault else ""
        self._say(
            "unreachable",
            logging.WARNING,
            "No MQTT broker at %s%s. Start it, or correct its address; trying again.",
            f" ({reason})" if reason else "",
        )

    def _say_tls(self, fault: Fault) -> None:
        self._say(
            f"tls: {fault.said}",
            logging.ERROR,
            "No encrypted connection to the MQTT broker at %s: %s Trying again.",
            str(fault),
        )

    def _lost(self, reason: str, fault: Fault | None) -> None:
        client = self._client
        if self._stopping:
            self._ended.set()
        elif self.up:
            self.up = False
            self.counts["lost"] += 1
            brief = time.monotonic() - self._up_since_s < BRIEF_S
            self._brief = self._brief + 1 if brief else 0
            self._say_lost()
        elif fault and fault.tls:
            self._say_tls(fault)
        elif client and self._may_speak_older(client):
            self._speak_older(client)
        elif self._said not in {"refused", "lost"}:
            self._say(
                "mute",
                logging.WARNING,
                "What listens at %s does not answer as an MQTT broker: %s. Check mqtt.broker%s;"
                " trying again.",
                reason,
                "" if self.peer.tls else ", and set mqtt.tls if it wants TLS",
            )

    def _say_lost(self) -> None:
        if self._brief < BRIEF_CONNECTIONS:
            self._say(
                "lost",
                logging.WARNING,
                "Lost the MQTT broker at %s. Reconnecting; finished sessions wait.",
            )
        else:
            self._say(
                "contested",
                logging.ERROR,
                "The MQTT broker at %s ends our connections at once, as it does when another"
                ' program connects as "%s". Give each rolltrack a site, each archive a name.',
                self._client_id,
            )

    def _delivered(self, mid: int) -> None:
        for act in self._delivery_listeners:
            self._guarded(act, mid)

    def _received(self, message: Incoming) -> None:
        self.counts["received"] += 1
        for topic_filter, _, take in self._listeners:
            if matches(topic_filter, message.topic):
                self._guarded(take, message)

    def _guarded(self, act: Callable[..., None], *args: object) -> None:
        """One listener's fault is not the others'."""
        try:
            act(*args)
        except Exception:  # noqa: BLE001  # told below; the others come next
            self.counts["faults"] += 1
            _log.exception("A fault while handling what the MQTT broker said.")

    def _say(self, state: str, level: int, text: str, *args: str) -> None:
        """Log changes of state only: a broker may stay away for days."""
        if state != self._said:
            self._said = state
            _log.log(level, text, self.peer, *args)
