"""A roller's items over all its connections, on one stream clock that never goes back."""

from __future__ import annotations

import logging
import math
import re
from typing import TYPE_CHECKING

from rolltrack.core.events import BatteryLevel, LinkChanged
from rolltrack.core.sample import GapReason, ImuSamples, SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sources.source import Deliver, Sensor, TimePassed

if TYPE_CHECKING:
    from rolltrack.sensors.decoder import Decoder

log = logging.getLogger(__name__)

# Readings may reach back this far from the moment their packet arrives; silence is told no sooner.
TELL_SILENCE_AFTER_S = 1.0
# Late packets put stream time beside the wall clock by less. What is farther off is a recording
# that is played at another speed, and stays ahead or behind.
NEAR_S = 0.5


class RollerStream:
    """Turns packets and link changes of one roller into items.

    Every `wall_s` is seconds since the source started, read from a monotonic clock. Stream time is
    the roller's own clock while readings come and goes on at the speed of the wall clock without
    them, so a roller whose clock runs fast or slow is never overtaken. Within a connection the
    decoder is told arrivals that pass like the wall clock and know nothing of the readings, or it
    could not tell how fast the roller's clock runs.

    Attributes:
        sensor: who it is.
        up: whether a connection stands.
        last_reading_s: stream time of the last reading, minus infinity before the first.
        last_arrival_s: when it came, on the wall clock; None before the first.
        silence_s: how long a living connection may be silent.
    """

    def __init__(self, sensor: Sensor, deliver: Deliver) -> None:
        self.sensor = sensor
        self.up = False
        self.last_arrival_s: float | None = None
        self.silence_s = 0.0
        self._up_since_s = 0.0
        self._ahead_s = 0.0
        self._deliver = deliver
        self._decoder: Decoder | None = None
        self.last_reading_s = -math.inf
        self._hole: GapReason | None = None
        self._complained: set[str] = set()
        self._bad_packets = 0

    def now_s(self, wall_s: float) -> float:
        """Stream time at a moment of the wall clock."""
        if self.last_arrival_s is None:
            return wall_s
        return self.last_reading_s + (wall_s - self.last_arrival_s)

    @property
    def silent_at_s(self) -> float:
        """When, on the wall clock, the roller has to be held for lost unless it speaks before."""
        return max(self._up_since_s, self.last_arrival_s or 0.0) + self.silence_s

    def link_up(self, decoder: Decoder, silence_s: float, wall_s: float) -> None:
        """A connection is set up; its packets come, or it is dead after `silence_s` without one."""
        self.silence_s = silence_s
        self._decoder = decoder
        self._up_since_s = wall_s
        ahead_s = self.now_s(wall_s) - wall_s
        self._ahead_s = 0.0 if abs(ahead_s) < NEAR_S else ahead_s
        self._complained.clear()
        self._bad_packets = 0
        self.up = True
        self._deliver(self.sensor, LinkChanged(self.now_s(wall_s), up=True))

    def packet(self, data: bytes, wall_s: float) -> None:
        """Decode a motion packet; one that cannot be decoded is counted, told once and skipped."""
        if self._decoder is None or not self.up:
            return
        try:
            items = self._decoder.decode(data, wall_s + self._ahead_s)
        except DecodeError as error:
            self._bad_packet(error)
            return
        for item in items:
            if isinstance(item, ImuSamples):
                self._close_hole(float(item.t_s[0]))
                self.last_reading_s = float(item.t_s[-1])
                self.last_arrival_s = wall_s
            self._deliver(self.sensor, item)

    def battery(self, percent: int, wall_s: float) -> None:
        """The roller's word on its battery; what is not a percentage is not passed on."""
        if 0 <= percent <= 100:  # noqa: PLR2004 - the range of a percentage
            self._deliver(self.sensor, BatteryLevel(self.now_s(wall_s), percent))

    def link_down(self, reason: GapReason, wall_s: float) -> None:
        """The connection is over; readings from here to the next connection are a hole."""
        if not self.up:
            return
        self.up = False
        self._hole = reason
        self._deliver(self.sensor, LinkChanged(self.now_s(wall_s), up=False))
        if self._bad_packets:
            log.warning("%s: skipped %d unusable packets", self.sensor.name, self._bad_packets)

    def tick(self, wall_s: float) -> None:
        """Called once a second: while the link is down, time passes without readings."""
        told_s = self.now_s(wall_s) - TELL_SILENCE_AFTER_S
        if not self.up and self.last_arrival_s is not None and told_s > self.last_reading_s:
            self._deliver(self.sensor, TimePassed(told_s))

    def _close_hole(self, end_s: float) -> None:
        if self._hole is not None and self.last_arrival_s is not None:
            gap = SignalGap(self.last_reading_s, end_s, reason=self._hole)
            self._deliver(self.sensor, gap)
        self._hole = None

    def _bad_packet(self, error: DecodeError) -> None:
        self._bad_packets += 1
        kind = re.sub(r"\d+", "#", error.what)
        if kind not in self._complained:
            self._complained.add(kind)
            log.warning("%s: packet skipped: %s", self.sensor.name, error)
