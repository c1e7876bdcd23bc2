"""paho's network thread, seen from the event loop: the only file that knows paho."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolltrack.wire import Message

_log = logging.getLogger(__name__)

KEEPALIVE_S = 20
CONNECT_TIMEOUT_S = 3.0
RETRY_MIN_S = 1
RETRY_MAX_S = 15
GOODBYE_S = 1.0
BRIEF_S = 5.0
BRIEF_CONNECTIONS = 3
"""So many connections in a row that last no longer than `BRIEF_S` are no accident."""


@dataclass(frozen=True, slots=True)
class Login:
    """Name and password for the broker; the password is never shown."""

    username: str
    password: str | None = field(default=None, repr=False)


class MqttLink:
    """One connection to one broker, made again whenever it is lost.

    `send` and the callbacks belong to the event loop that called `start`. `on_ack` says that the
    broker has a message of QoS 1; what it has not named by the next `on_up` has to be sent again.
    `on_memory` gets what the broker retained on topics that fit the filter `memories`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        client_id: str,
        login: Login | None,
        will: Message,
        memories: str,
        on_up: Callable[[], None],
        on_ack: Callable[[int], None],
        on_memory: Callable[[str, bytes], None],
    ) -> None:
        self.up = False
        self._address = f"{host}:{port}"
        self._client_id = client_id
        self._up_since_s = 0.0
        self._brief = 0
        self._on_up = on_up
        self._on_ack = on_ack
        self._memories = memories
        self._on_memory = on_memory
        self._said = ""
        self._stopping = False
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True, protocol=MQTTv311
        )
        self._client.suppress_exceptions = True  # else one would end the network thread silently
        self._client.max_inflight_messages_set(0)  # the sink's window rules
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        self._client.reconnect_delay_set(RETRY_MIN_S, RETRY_MAX_S)
        self._client.will_set(will.topic, will.body, will.qos, will.retain)
        if login:
            self._client.username_pw_set(login.username, login.password)
        self._client.on_connect = self._connect_answered
        self._client.on_connect_fail = self._connect_failed
        self._client.on_disconnect = self._disconnected
        self._client.on_publish = self._published
        self._client.on_message = self._received
        self._client.connect_async(host, port, KEEPALIVE_S)

    def start(self) -> None:
        """Begin connecting, and keep at it."""
        self._loop = asyncio.get_running_loop()
        self._client.loop_start()

    def send(self, message: Message) -> int:
        """Hand over to paho, return the number `on_ack` will name; QoS 0 is lost while down."""
        return self._client.publish(message.topic, message.body, message.qos, message.retain).mid

    async def stop(self) -> None:
        """Disconnect for good.

        The network thread ends by itself; it is not joined, since it may be inside a connection
        attempt that nothing can cut short.
        """
        was_up, self.up, self._stopping = self.up, False, True
        self._client.disconnect()
        if was_up:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._ended.wait()

    # The network thread calls these; they only pass the news on.

    def _connect_answered(
        self, _client: Any, _data: Any, _flags: Any, reason: Any, _p: Any
    ) -> None:
        self._tell(self._refused if reason.is_failure else self._connected, str(reason))

    def _connect_failed(self, _client: Any, _data: Any) -> None:
        self._tell(self._unreachable)

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _p: Any) -> None:
        self._tell(self._lost, str(reason))

    def _published(self, _client: Any, _data: Any, mid: int, _reason: Any, _p: Any) -> None:
        self._tell(self._on_ack, mid)

    def _received(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        if message.retain:
            self._tell(self._on_memory, message.topic, message.payload)

    def _tell(self, listener: Callable[..., None], *args: object) -> None:
        if self._loop:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(listener, *args)

    # The event loop calls these.

    def _connected(self, _reason: str) -> None:
        self.up = True
        self._up_since_s = time.monotonic()
        if self._brief < BRIEF_CONNECTIONS:
            self._say("connected", logging.INFO, "Connected to the MQTT broker at %s.")
        self._client.subscribe(self._memories, 1)
        self._on_up()

    def _refused(self, reason: str) -> None:
        self._say(
            "refused",
            logging.ERROR,
            "The MQTT broker at %s refuses the connection: %s. Check mqtt.username and"
            " mqtt.password_file; trying again.",
            reason,
        )

    def _unreachable(self) -> None:
        self._say(
            "unreachable",
            logging.WARNING,
            "No MQTT broker at %s. Start it, or correct mqtt.broker; trying again, and keeping"
            " finished sessions until then.",
        )

    def _lost(self, reason: str) -> None:
        if self._stopping:
            self._ended.set()
        elif self.up:
            self.up = False
            brief = time.monotonic() - self._up_since_s < BRIEF_S
            self._brief = self._brief + 1 if brief else 0
            self._say_lost()
        elif self._said not in {"refused", "lost"}:
            self._say(
                "mute",
                logging.WARNING,
                "What listens at %s does not answer as an MQTT broker: %s. Check mqtt.broker;"
                " trying again.",
                reason,
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
                ' program connects as "%s". Give each rolltrack a site of its own.',
                self._client_id,
            )

    def _say(self, state: str, level: int, text: str, *args: str) -> None:
        """Log changes of state only: a broker may stay away for days."""
        if state != self._said:
            self._said = state
            _log.log(level, text, self._address, *args)
