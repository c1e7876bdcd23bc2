"""What a broker still tells about a roller -> nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rolltrack import wire
from rolltrack.errors import BrokerError
from rolltrack.wire import home_assistant

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolltrack.mqtt import Incoming, MqttLink

PATIENCE_S = 10.0


@dataclass(slots=True)
class Forgotten:
    """What was found and cleared.

    Attributes:
        topics: whose retained message was cleared.
        service_online: a service of the site says it runs; it would announce the roller again.
    """

    topics: set[str] = field(default_factory=set)
    service_online: bool = False


async def forget_roller(link: MqttLink, site: str, roller: str, prefix: str) -> Forgotten:
    """Clear all retained messages about a roller, its announcement to Home Assistant included.

    Args:
        link: not started yet; it is stopped afterwards.
        site: the id of the installation.
        roller: its public id.
        prefix: where Home Assistant looks for announcements.

    Raises:
        UsageError: the roller is not a valid id.
        BrokerError: the broker cannot be reached, or does not answer.
    """
    topics = wire.Topics(site)
    removal = home_assistant.removal(roller, prefix)
    eraser = _Eraser(link, topics.bridge_status, removal)
    filters = (topics.bridge_status, topics.all_of_roller(roller), removal.topic)
    return await _erase(eraser, link, filters)


async def forget_athlete(link: MqttLink, site: str, athlete: str, prefix: str) -> Forgotten:
    """Clear all retained messages about a person, and announcements that lead to them.

    A roller that is another's by now stays announced.

    Args:
        link: not started yet; it is stopped afterwards.
        site: the id of the installation.
        athlete: the pseudonym.
        prefix: where Home Assistant looks for announcements.

    Raises:
        UsageError: the athlete is not a valid id.
        BrokerError: the broker cannot be reached, or does not answer.
    """
    topics = wire.Topics(site)
    last = wire.Message(topics.last_session(athlete), b"", retain=True)
    announced = f"{prefix}/device/+/config"
    own = f"{topics.prefix}/a/{athlete}/"
    eraser = _Eraser(
        link,
        topics.bridge_status,
        last,
        concerns=lambda m: m.topic.startswith(own) or own.encode() in m.body,
    )
    return await _erase(eraser, link, (topics.bridge_status, announced, f"{own}#"))


async def _erase(eraser: _Eraser, link: MqttLink, filters: tuple[str, ...]) -> Forgotten:
    for topic_filter in filters:
        link.listen(topic_filter, eraser.hear)
    link.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await eraser.erase()
    except TimeoutError:
        raise BrokerError(
            f"The MQTT broker at {link.peer} does not answer; nothing is certain to be cleared.",
            hint="Check mqtt.broker and the login, and run it again.",
        ) from None
    finally:
        await link.stop()
    return eraser.forgotten


class _Eraser:
    """Clears one message first; what the broker had retained comes before its echo."""

    def __init__(
        self,
        link: MqttLink,
        status_topic: str,
        removal: wire.Message,
        concerns: Callable[[Incoming], bool] = lambda _: True,
    ) -> None:
        self._concerns = concerns
        self.forgotten = Forgotten()
        self._link = link
        self._status_topic = status_topic
        self._removal = removal
        self._all_told = asyncio.Event()
        self._delivered = asyncio.Event()
        self._waiting: set[int] = set()
        link.when_up(lambda: self._send(removal))
        link.when_delivered(self._cross_off)

    def hear(self, message: Incoming) -> None:
        """Note what is retained."""
        if message.topic == self._status_topic:
            self.forgotten.service_online = message.body == b"online"
        elif message.body and message.retain:
            if self._concerns(message):
                self.forgotten.topics.add(message.topic)
        elif message.topic == self._removal.topic:
            self._all_told.set()

    async def erase(self) -> None:
        """Clear it all; returns when the broker has everything."""
        await self._all_told.wait()
        for topic in self.forgotten.topics - {self._removal.topic}:
            self._send(wire.Message(topic, b"", retain=True))
        while self._waiting:
            self._delivered.clear()
            await self._delivered.wait()

    def _send(self, message: wire.Message) -> None:
        self._waiting.add(self._link.send(message))

    def _cross_off(self, number: int) -> None:
        self._waiting.discard(number)
        self._delivered.set()
