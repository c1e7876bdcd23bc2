"""One phone: its pushes -> items, and its silences -> the link's ups and downs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.core.events import LinkChanged
from rolltrack.core.sample import SignalGap
from rolltrack.sensors.decoders.sensor_logger import SensorLoggerDecoder
from rolltrack.sources.source import Sensor, TimePassed

if TYPE_CHECKING:
    from rolltrack.core.sample import ImuSamples
    from rolltrack.sensors.decoders.sensor_logger import Push
    from rolltrack.sources.source import Item

SILENT_S = 1.5
"""Longer than the pause between two batches of the app."""

LOST_S = 5.0


class PhoneLink:
    """Follows one phone. `now_s` is always the same monotonic clock."""

    def __init__(self, device_id: str) -> None:
        self.sensor: Sensor | None = None
        self._device_id = device_id
        self._decoder = SensorLoggerDecoder()
        self._heard_s = 0.0
        self._up = False

    def take(self, push: Push, now_s: float) -> list[Item]:
        """Items of one push, oldest first; `sensor` is known once there are any.

        Raises:
            SetupFault: the app is set up so that its readings cannot be used.
            DecodeError: the push is not what the app sends.
        """
        before_s = self._decoder.last_s
        readings = self._decoder.decode_push(push, now_s)
        if not readings:
            return []
        self._heard_s = now_s
        if self.sensor is None or self.sensor.epoch_unix_s != self._decoder.epoch_unix_s:
            self.sensor = self._introduce()
        return [*self._back_up(readings, before_s), *readings]

    def tick(self, now_s: float) -> list[Item]:
        """What silence until `now_s` means; call it about once a second."""
        silent_s = now_s - self._heard_s
        if self.sensor is None or silent_s < SILENT_S:
            return []
        t_s = self._decoder.last_s + silent_s
        items: list[Item] = [TimePassed(t_s)]
        if self._up and silent_s >= LOST_S:
            self._up = False
            items.insert(0, LinkChanged(t_s, up=False))
        return items

    def _introduce(self) -> Sensor:
        name = f"phone {self._device_id[:8]}".rstrip()
        return Sensor("phone", self._device_id, name, self._decoder.epoch_unix_s or 0.0)

    def _back_up(self, readings: list[ImuSamples | SignalGap], before_s: float) -> list[Item]:
        """The news that the link is up (again), and the hole if the decoder did not see one."""
        if self._up:
            return []
        self._up = True
        first = readings[0]
        if isinstance(first, SignalGap):
            return [LinkChanged(first.end_s, up=True)]
        first_s = float(first.t_s[0])
        news: list[Item] = [LinkChanged(first_s, up=True)]
        if first_s - before_s < float("inf"):
            news.append(SignalGap(before_s, first_s, reason="no_data"))
        return news
