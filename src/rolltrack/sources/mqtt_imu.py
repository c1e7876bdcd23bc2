"""Phones and remote sensors that publish raw readings over MQTT, on imu/{shard}/{roller}."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from rolltrack import wire
from rolltrack.core.sample import SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sources.imu_batch import read_batch
from rolltrack.sources.imu_roller import ImuRoller
from rolltrack.wire.catalogue import find_kind

if TYPE_CHECKING:
    from rolltrack.mqtt import Incoming, MqttLink
    from rolltrack.sources.source import Deliver, Item

_log = logging.getLogger(__name__)

TICK_S = 1.0
MOST_ROLLERS = 1000
"""More than a site has; whoever invents others must not fill our memory."""


class MqttImuSource:
    """Listens on the service's own connection; a roller's id is the one in its topic.

    Args:
        link: the service's connection.
        site: the id of this installation.
    """

    name = "mqtt-imu"

    def __init__(self, link: MqttLink, site: str) -> None:
        self._link = link
        self._topics = wire.Topics(site)
        self._rollers: dict[str, ImuRoller] = {}
        self._complained: set[str] = set()

    async def run(self, deliver: Deliver) -> None:
        """Deliver until cancelled; see `Source`."""
        loop = asyncio.get_running_loop()
        self._link.listen(
            self._topics.any_imu, lambda message: self._take(message, deliver, loop.time())
        )
        while True:
            await asyncio.sleep(TICK_S)
            for roller in self._rollers.values():
                for item in roller.tick(loop.time()):
                    deliver(roller.sensor, item)

    def _take(self, message: Incoming, deliver: Deliver, now_s: float) -> None:
        found = find_kind(message.topic)
        if found is None or message.retain:
            self._complain(message.topic, "not a topic for readings, or a retained one.")
            return
        name = found[1]["roller"]
        try:
            items = self._items(name, int(found[1]["shard"]), message.body, now_s)
        except DecodeError as fault:
            self._complain(message.topic, str(fault))
            return
        for item in items:
            if isinstance(item, SignalGap) and item.reason == "clock_reset":
                _log.info("%r: its clock was set; readings are taken by the new one", message.topic)
            deliver(self._rollers[name].sensor, item)

    def _items(self, name: str, shard: int, body: bytes, now_s: float) -> list[Item]:
        if shard != wire.shard(name):
            raise DecodeError(f'the shard of roller "{name}" is {wire.shard(name)}.')
        batch = read_batch(body)
        if name not in self._rollers:
            if len(self._rollers) >= MOST_ROLLERS:
                raise DecodeError("there are too many rollers already.")
            self._rollers[name] = ImuRoller(name, batch.ts / 1000)
        return self._rollers[name].take(batch, now_s)

    def _complain(self, topic: str, why: str) -> None:
        """Once for every publisher: it may say the same ten times a second."""
        if topic not in self._complained and len(self._complained) < MOST_ROLLERS:
            self._complained.add(topic)
            _log.warning("%r: readings skipped: %s", topic, why)
