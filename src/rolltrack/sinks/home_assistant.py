"""Rollers -> Home Assistant, which then shows them by itself (docs/mqtt.md)."""

from __future__ import annotations

import asyncio
import random
from importlib.metadata import version
from typing import TYPE_CHECKING

from rolltrack import wire
from rolltrack.wire import home_assistant

if TYPE_CHECKING:
    from rolltrack.mqtt import Incoming, MqttLink
    from rolltrack.sinks.sink import Outgoing, Roller

SPREAD_S = 2.0
"""Home Assistant has just started, and everybody answers its birth message: not all at once."""


class HomeAssistantSink:
    """Announces every roller once, again with every connection, and when Home Assistant restarts.

    Args:
        link: the connection of the MQTT sink, which starts and stops it.
        site: the id of this installation.
        prefix: where Home Assistant looks for announcements.
    """

    name = "home-assistant"
    wants_samples = False

    def __init__(self, link: MqttLink, site: str, prefix: str = "homeassistant") -> None:
        self._link = link
        self._topics = wire.Topics(site)
        self._prefix = prefix
        self._announced: dict[str, home_assistant.Announced] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Listen for connections and for Home Assistant's birth."""
        self._link.when_up(self._announce_all)
        self._link.listen(home_assistant.birth_topic(self._prefix), self._heard)

    async def handle(self, roller: Roller, outgoing: Outgoing) -> None:
        """Announce a roller that is new, or somebody else's now."""
        del outgoing
        known = self._announced.get(roller.id)
        if known is None or known.athlete != roller.athlete:
            announced = home_assistant.Announced(
                roller.id, roller.athlete, roller.sensor, version("rolltrack")
            )
            self._announced[roller.id] = announced
            self._announce(announced)

    async def close(self) -> None:
        """Leave the announcements: the rollers are known, and unavailable."""
        if self._timer:
            self._timer.cancel()

    def _heard(self, birth: Incoming) -> None:
        if birth.body != b"online":
            return
        if self._timer:
            self._timer.cancel()
        delay_s = random.uniform(0.1, 1.0) * SPREAD_S  # noqa: S311  # spread, not secrecy
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._announce_all)

    def _announce_all(self) -> None:
        for announced in self._announced.values():
            self._announce(announced)

    def _announce(self, announced: home_assistant.Announced) -> None:
        if self._link.up:
            self._link.send(home_assistant.announcement(announced, self._topics, self._prefix))
