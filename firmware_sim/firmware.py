"""What runs on the roller's microcontroller: sample, pack, queue, count. It knows no radio.

Time comes in as device seconds since power-on, so that a replay can be hurried and a test need not
wait.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from math import ceil, floor, inf, radians
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from firmware_sim import packets
from firmware_sim.clock import DeviceClock
from firmware_sim.motion import GRAVITY_MPS2
from firmware_sim.sampling import Readings, sample

if TYPE_CHECKING:
    from firmware_sim.mounting import Axle
    from firmware_sim.packets import Config, Counts
    from firmware_sim.trace import Trace

AtEnd: TypeAlias = Literal["stay", "repeat", "stop"]

RATES_HZ = (25, 50, 100, 200, 400)
ACCEL_FULL_SCALES_G = (2, 4, 8, 16)
GYRO_FULL_SCALES_DPS = (125, 250, 500, 1000, 2000)
QUEUE_PACKETS = 16
_SLOW_RADPS = 0.05
"""Below it a roller does not turn; a gyroscope's bias is smaller."""
_FEW = 10
POWER_ON_RESET, WATCHDOG_RESET = 0, 1


class Firmware:
    """One roller's firmware, fed by a trace instead of an IMU chip.

    Args:
        trace: what the chip will measure; it begins with `begin`.
        config: what is in force before a central asks for something else.
        radius_m: rolling radius to tell, None when not known.
        axle: sensor axis along the axle to tell, None when not known.
        clock: the device's clock.
        at_end: after the trace stay where it left the roller and keep sending, repeat it, or stop.
        battery_percent: charge to tell.
    """

    def __init__(
        self,
        trace: Trace,
        *,
        config: Config | None = None,
        radius_m: float | None = None,
        axle: Axle | None = None,
        clock: DeviceClock | None = None,
        at_end: AtEnd = "stay",
        battery_percent: int = 87,
    ) -> None:
        self.clock = clock or DeviceClock()
        self.battery_percent = battery_percent
        self.overruns = 0
        self.dropped = 0
        self._trace = trace
        self._radius_m = radius_m
        self._axle = axle
        self._at_end = at_end
        self._began_s: float | None = None
        self._next = 0
        self._seq = 0
        self._overrun = False
        self._queue: deque[bytes] = deque()
        self.reset_reason = POWER_ON_RESET
        self._first_config = config or packets.Config()
        self.config = packets.Config()
        self._readings: Readings
        self.configure(self._first_config)

    @property
    def begun(self) -> bool:
        """Whether the trace is running."""
        return self._began_s is not None

    @property
    def finished(self) -> bool:
        """Whether a trace that stops at its end has been sent completely."""
        return self._at_end == "stop" and self._next >= len(self._readings) and not self._queue

    @property
    def accel_lsb(self) -> float:
        """Metres per second squared of one count; 0 without an accelerometer."""
        if self._trace.accel_mps2 is None:
            return 0.0
        return self.config.accel_full_scale_g * GRAVITY_MPS2 / 2**15

    @property
    def gyro_lsb(self) -> float:
        """Radians per second of one count; 0 without a gyroscope."""
        if self._trace.gyro_radps is None:
            return 0.0
        return radians(self.config.gyro_full_scale_dps) / 2**15

    def configure(self, wanted: Config) -> None:
        """Take over a configuration, each value replaced by the nearest one the chip has.

        What waits in another scale is dropped: its packets would be read in the new one.
        """
        old_rate_hz, old_scales = self.config.rate_hz, (self.accel_lsb, self.gyro_lsb)
        self.config = replace(
            wanted,
            rate_hz=_nearest(wanted.rate_hz, RATES_HZ),
            accel_full_scale_g=_nearest(wanted.accel_full_scale_g, ACCEL_FULL_SCALES_G),
            gyro_full_scale_dps=_nearest(wanted.gyro_full_scale_dps, GYRO_FULL_SCALES_DPS),
        )
        self._readings = sample(
            self._trace,
            rate_hz=self.config.rate_hz,
            accel_lsb=self.accel_lsb,
            gyro_lsb=self.gyro_lsb,
        )
        self._gyro_at_rest = self._zero_rate()
        self._next = ceil(self._next * self.config.rate_hz / old_rate_hz)
        if self._queue and (self.accel_lsb, self.gyro_lsb) != old_scales:
            self.dropped += sum(map(packets.samples_in, self._queue))
            self.overruns += len(self._queue)
            self._overrun = True
            self._queue.clear()

    def begin(self, now_s: float) -> None:
        """Let the trace run from now on; it does not stop when nobody listens."""
        if self._began_s is None:
            self._began_s = now_s

    def elapsed_s(self, now_s: float) -> float:
        """How long the trace has been running; 0 before it began."""
        return 0.0 if self._began_s is None else now_s - self._began_s

    def reboot(self, now_s: float) -> None:
        """Start again by the watchdog; the world that is measured goes on."""
        self.advance(now_s, None)
        self.clock = replace(self.clock, offset_us=-round(now_s * 1e6))
        self.overruns = self.dropped = self._seq = 0
        self._overrun = False
        self.reset_reason = WATCHDOG_RESET
        self.configure(self._first_config)

    def advance(self, now_s: float, att_mtu: int | None) -> None:
        """Sample up to now and queue every full packet.

        Args:
            now_s: device time; never goes back.
            att_mtu: of the central that listens; None when nobody does, and the samples are gone.
        """
        if self._began_s is None:
            return
        taken = floor((now_s - self._began_s) * self.config.rate_hz + 1e-6) + 1
        if self._at_end == "stop":
            taken = min(taken, len(self._readings))
        if att_mtu is None or not self.config.run:
            self._next = max(self._next, taken)
            self._queue.clear()
            return
        while (size := self._packet_size(att_mtu, taken)) > 0:
            self._queue_packet(size)

    def take(self, most: int) -> list[bytes]:
        """Hand over up to `most` queued packets, oldest first."""
        return [self._queue.popleft() for _ in range(min(most, len(self._queue)))]

    def next_due_s(self, att_mtu: int | None) -> float:
        """Device time at which something will be ready to send or the trace will stop.

        It is in the past when packets wait, and infinite when nothing is going to happen.
        """
        listening = att_mtu is not None and self.config.run
        if self._began_s is None or not (listening or self._at_end == "stop"):
            return inf
        if self._queue:
            return self._began_s
        due = self._next + self._most_samples(att_mtu) - 1 if att_mtu and listening else inf
        if self._at_end == "stop":
            due = min(due, len(self._readings) - 1)
        return self._began_s + due / self.config.rate_hz

    def info(self, now_s: float) -> bytes:
        """The info characteristic."""
        return packets.encode_info(
            period_ns=1_000_000_000 // self.config.rate_hz,
            accel_mps2_per_lsb=self.accel_lsb,
            gyro_radps_per_lsb=self.gyro_lsb,
            axle=self._axle,
            radius_m=self._radius_m,
            clock_us=self.clock.ticks_us(now_s),
        )

    def status(self) -> bytes:
        """The status characteristic; a lithium cell of 3.3 V empty and 4.2 V full."""
        return packets.encode_status(
            overruns=self.overruns,
            dropped=self.dropped,
            battery_mv=3300 + 9 * self.battery_percent,
            reset_reason=self.reset_reason,
        )

    def _zero_rate(self) -> Counts:
        """What the gyroscope reads at rest, its bias; 0 where the trace does not rest."""
        counts = self._readings.counts[self._readings.present, 3:]
        slow = np.abs(counts).max(axis=1, initial=0) * self.gyro_lsb < _SLOW_RADPS
        if np.count_nonzero(slow) < _FEW:
            return np.zeros(counts.shape[1], dtype=counts.dtype)
        return np.asarray(np.rint(np.median(counts[slow], axis=0)), dtype=counts.dtype)

    def _most_samples(self, att_mtu: int) -> int:
        axes = self._readings.counts.shape[1]
        return min(self.config.max_samples, packets.samples_that_fit(att_mtu, axes))

    def _packet_size(self, att_mtu: int, taken: int) -> int:
        """How many samples the next packet gets, 0 when it is not full yet; steps over holes."""
        while self._next < taken and not self._present(self._next):
            self._next += 1
        last = min(self._next + self._most_samples(att_mtu), taken)
        end = self._next
        while end < last and self._present(end):
            end += 1
        full = end - self._next == self._most_samples(att_mtu)
        hole = end < last
        at_stop = self._at_end == "stop" and end == len(self._readings)
        return end - self._next if full or hole or at_stop else 0

    def _queue_packet(self, size: int) -> None:
        assert self._began_s is not None  # noqa: S101  # nothing is sampled before the trace began
        rows = [self._row(k) for k in range(self._next, self._next + size)]
        first_s = self._began_s + self._next / self.config.rate_hz
        self._next += size
        self._seq += 1
        if len(self._queue) >= QUEUE_PACKETS:
            self.dropped += size
            self.overruns += 1
            self._overrun = True
            return
        packet = packets.encode_motion(
            self._seq - 1,
            self.clock.ticks_us(first_s),
            np.array([counts for counts, _ in rows]),
            overrun=self._overrun,
            clipped=any(clipped for _, clipped in rows),
        )
        self._overrun = False
        self._queue.append(packet)

    def _present(self, k: int) -> bool:
        n = len(self._readings)
        if k >= n and self._at_end != "repeat":
            return True
        return bool(self._readings.present[k % n])

    def _row(self, k: int) -> tuple[Counts, bool]:
        """Sample k: of the trace, or of the roller that lies where the trace left it."""
        n = len(self._readings)
        if k < n or self._at_end == "repeat":
            return self._readings.counts[k % n], bool(self._readings.clipped[k % n])
        last = int(np.flatnonzero(self._readings.present)[-1])
        still = self._readings.counts[last].copy()
        still[3:] = self._gyro_at_rest
        return still, bool(self._readings.clipped[last])


def _nearest(wanted: int, offered: tuple[int, ...]) -> int:
    return min(offered, key=lambda value: abs(value - wanted))
