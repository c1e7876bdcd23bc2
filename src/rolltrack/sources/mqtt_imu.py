"""Phones and remote sensors that publish raw readings over MQTT, on imu/{shard}/{roller}."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from rolltrack import wire
from rolltrack.core.events import LinkChanged
from rolltrack.core.sample import SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sources.imu_batch import read_batch, samples_of
from rolltrack.sources.source import Sensor, TimePassed
from rolltrack.wire.catalogue import find_kind

if TYPE_CHECKING:
    from rolltrack.mqtt import Incoming, MqttLink
    from rolltrack.sources.source import Deliver, Item

_log = logging.getLogger(__name__)

TICK_S = 1.0
SILENT_S = 1.5
LOST_S = 5.0
MOST_ROLLERS = 1000
"""More than a site has; whoever invents others must not fill our memory."""


class ImuRoller:
    """One publisher's batches -> items. `now_s` is always the same monotonic clock."""

    def __init__(self, roller: str, epoch_unix_s: float) -> None:
        self.sensor = Sensor("imu", roller, roller, epoch_unix_s)
        self._seq: int | None = None
        self._last_s: float | None = None
        self._heard_s = 0.0
        self._up = False

    def take(self, batch: wire.ImuBatch, now_s: float) -> list[Item]:
        """Items of one batch, oldest first; one that came before is nothing new.

        Raises:
            DecodeError: the batch cannot be used; the next one may.
        """
        samples = samples_of(batch, self.sensor.epoch_unix_s)
        first_s = float(samples.t_s[0])
        items: list[Item] = []
        if self._last_s is not None and first_s <= self._last_s:
            if self._seq is not None and batch.seq <= self._seq:
                return []
            raise DecodeError(f"batch {batch.seq} begins before the last one ended.")
        if not self._up:
            items.append(LinkChanged(first_s, up=True))
        if self._last_s is not None and self._seq is not None and batch.seq != self._seq + 1:
            reason = "clock_reset" if batch.seq <= self._seq else "packets_lost"
            items.append(SignalGap(self._last_s, first_s, reason=reason))  # type: ignore[arg-type]  # one of two literals
        self._seq, self._last_s, self._up = batch.seq, float(samples.t_s[-1]), True
        self._heard_s = now_s
        return [*items, samples]

    def tick(self, now_s: float) -> list[Item]:
        """What silence until `now_s` means; call it about once a second."""
        silent_s = now_s - self._heard_s
        if self._last_s is None or silent_s < SILENT_S:
            return []
        t_s = self._last_s + silent_s
        items: list[Item] = [TimePassed(t_s)]
        if self._up and silent_s >= LOST_S:
            self._up = False
            items.insert(0, LinkChanged(t_s, up=False))
        return items


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
