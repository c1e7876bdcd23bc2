"""paho, in a thread of ours: the only file that knows it.

Its callbacks run on that thread. They never raise, since an exception would end it; whoever they
call has to pass the news on.
"""

from __future__ import annotations

import contextlib
import random
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from paho.mqtt.client import Client, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from rolltrack.mqtt.faults import fault_of
from rolltrack.mqtt.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rolltrack.mqtt.faults import Fault
    from rolltrack.mqtt.peer import Peer
    from rolltrack.wire import Message

Version: TypeAlias = Literal["5", "3.1.1"]

KEEPALIVE_S = 20
CONNECT_TIMEOUT_S = 3.0
RETRY_MIN_S = 0.5
RETRY_MAX_S = 15.0
SESSION_EXPIRY_S = 30 * 24 * 3600
"""How long a broker keeps a persistent session whose owner stays away."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it arrived.

    Attributes:
        mid: its number in this connection, for `MqttLink.confirm`.
        response_topic: where its sender wants an answer (MQTT 5).
        correlation: what the answer has to repeat (MQTT 5).
    """

    topic: str
    body: bytes
    qos: int
    retain: bool
    mid: int
    response_topic: str | None = None
    correlation: bytes | None = None


class Listener(Protocol):
    """Who is told, on the network thread, what happens."""

    def opened(self, client: WireClient) -> None:
        """There is a connection to the port; nothing was answered yet."""

    def answered(self, client: WireClient, failure: str) -> None:
        """The broker has accepted us (empty), or refused."""

    def failed(self, client: WireClient, fault: Fault | None) -> None:
        """No connection could be made."""

    def subscribed(self, client: WireClient) -> None:
        """The broker has answered a request to listen."""

    def lost(self, client: WireClient, reason: str, fault: Fault | None) -> None:
        """The connection is gone."""

    def delivered(self, client: WireClient, mid: int) -> None:
        """The broker has this message of QoS 1."""

    def received(self, client: WireClient, message: Incoming) -> None:
        """A message came."""


class _Paho(Client):
    """Remembers why a connection could not be made or held, which paho keeps to itself."""

    fault: OSError | None = None

    def reconnect(self) -> Any:
        self.fault = None
        try:
            return super().reconnect()
        except OSError as fault:
            self.fault = fault.with_traceback(None)  # which would keep the socket alive
            raise

    def _sock_recv(self, bufsize: int) -> bytes:
        """From TLS 1.3 on, a broker that wants a certificate says so after the greeting."""
        try:
            return super()._sock_recv(bufsize)
        except ssl.SSLError as fault:
            self.fault = fault.with_traceback(None)
            raise


class WireClient:
    """One MQTT client of one protocol version; connects again by itself until `stop`.

    Args:
        peer: the broker.
        version: MQTT version to speak.
        client_id: our name there.
        will: what the broker publishes should we vanish.
        persistent: the broker keeps what arrives for our subscriptions while we are away.
        manual_ack: messages count as received only once `confirm` says so.
        listener: whom to tell.
    """

    def __init__(
        self,
        peer: Peer,
        version: Version,
        *,
        client_id: str,
        will: Message | None,
        persistent: bool,
        manual_ack: bool,
        listener: Listener,
    ) -> None:
        self.version: Version = version
        self._listener = listener
        self._stopping = False
        five = version == "5"
        self._paho = _Paho(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if five else not persistent,
            protocol=MQTTv5 if five else MQTTv311,
            manual_ack=manual_ack,
        )
        self._paho.max_inflight_messages_set(0)  # the sender's window rules
        self._paho.connect_timeout = CONNECT_TIMEOUT_S
        self._spread_retries()
        if will:
            properties = _properties(PacketTypes.WILLMESSAGE, will) if five else None
            self._paho.will_set(will.topic, will.body, will.qos, will.retain, properties)
        if peer.login:
            self._paho.username_pw_set(peer.login.username, peer.login.password)
        self._tls = peer.tls is not None
        if peer.tls:
            self._paho.tls_set_context(tls_context(peer.tls))
        self._paho.on_socket_open = self._opened
        self._paho.on_connect = self._answered
        self._paho.on_connect_fail = self._failed
        self._paho.on_subscribe = self._subscribed
        self._paho.on_disconnect = self._lost
        self._paho.on_publish = self._delivered
        self._paho.on_message = self._received
        if five:
            connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            connect.SessionExpiryInterval = SESSION_EXPIRY_S if persistent else 0
            self._paho.connect_async(
                peer.host, peer.port, KEEPALIVE_S, clean_start=not persistent, properties=connect
            )
        else:
            self._paho.connect_async(peer.host, peer.port, KEEPALIVE_S)

    def start(self) -> None:
        """Begin connecting, in a thread that ends with `stop` or with the process."""
        self._paho.loop_start()

    def revive(self) -> bool:
        """Start the thread again if a fault in paho has ended it; says whether it had to."""
        return not self._stopping and self._paho.loop_start() == MQTTErrorCode.MQTT_ERR_SUCCESS

    def send(self, message: Message) -> int:
        """Hand over a message; returns its number. QoS 0 is lost while there is no connection."""
        five = self.version == "5"
        properties = _properties(PacketTypes.PUBLISH, message) if five else None
        sent = self._paho.publish(
            message.topic, message.body, message.qos, message.retain, properties
        )
        return int(sent.mid)

    def subscribe(self, wanted: Sequence[tuple[str, int]]) -> None:
        """Ask for these topic filters, each with a QoS."""
        if wanted:
            self._paho.subscribe(list(wanted))

    def confirm(self, message: Incoming) -> None:
        """Acknowledge a message, with `manual_ack`."""
        self._paho.ack(message.mid, message.qos)

    def stop(self) -> None:
        """Disconnect for good; the thread ends when the connection attempt under way is over."""
        self._stopping = True
        self._paho.disconnect()

    def _spread_retries(self) -> None:
        """Random, so that a hundred services do not all come back in the same instant."""
        first_s = RETRY_MIN_S * random.uniform(1.0, 2.0)  # noqa: S311  # spread, not secrecy
        self._paho.reconnect_delay_set(first_s, RETRY_MAX_S * random.uniform(0.7, 1.0))  # type: ignore[arg-type]  # noqa: S311  # fractions work; the same

    # paho calls these on its thread.

    def _opened(self, *_: Any) -> None:
        self._tell(self._listener.opened)

    def _answered(self, _c: Any, _d: Any, _flags: Any, reason: Any, _p: Any) -> None:
        # The owner sends again what was not delivered. Not in `_lost`: paho may be sending then.
        self._paho.drop_out_messages()
        self._tell(self._listener.answered, str(reason) if reason.is_failure else "")

    def _failed(self, *_: Any) -> None:
        self._tell(self._listener.failed, self._fault())

    def _fault(self) -> Fault | None:
        error = self._paho.fault
        return None if error is None else fault_of(error, tls=self._tls)

    def _subscribed(self, *_: Any) -> None:
        self._tell(self._listener.subscribed)

    def _lost(self, _c: Any, _d: Any, _flags: Any, reason: Any, _p: Any) -> None:
        self._spread_retries()
        self._tell(self._listener.lost, str(reason), self._fault())

    def _delivered(self, _c: Any, _d: Any, mid: int, _reason: Any, _p: Any) -> None:
        self._tell(self._listener.delivered, mid)

    def _received(self, _c: Any, _d: Any, message: MQTTMessage) -> None:
        properties = message.properties
        incoming = Incoming(
            message.topic,
            bytes(message.payload),
            message.qos,
            message.retain,
            message.mid,
            getattr(properties, "ResponseTopic", None),
            getattr(properties, "CorrelationData", None),
        )
        self._tell(self._listener.received, incoming)

    def _tell(self, news: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody listens any more
            news(self, *args)


def _properties(packet: int, message: Message) -> Properties:
    """What MQTT 5 can say of a message besides its topic and body."""
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    if message.schema:
        properties.ContentType = "application/json"
        properties.UserProperty = ("schema", message.schema)
    if message.expiry_s is not None:
        properties.MessageExpiryInterval = message.expiry_s
    if message.response_topic is not None:
        properties.ResponseTopic = message.response_topic
    if message.correlation is not None:
        properties.CorrelationData = message.correlation
    return properties
