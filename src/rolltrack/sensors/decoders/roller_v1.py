"""The roller's own Bluetooth profile, version 1 (docs/roller-gatt.md)."""

from __future__ import annotations

import math
import struct
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from rolltrack.core.sample import BoolArray, FloatArray, GapReason, ImuSamples, SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sensors.clock import DeviceClock

SERVICE_UUID = "56870001-b39a-47c8-84ab-ffc63f9b076a"
MOTION_UUID = "56870002-b39a-47c8-84ab-ffc63f9b076a"
CONFIG_UUID = "56870003-b39a-47c8-84ab-ffc63f9b076a"
INFO_UUID = "56870004-b39a-47c8-84ab-ffc63f9b076a"

PROFILE_VERSION = 1

_MOTION_HEADER = struct.Struct("<HIBB")
_CONFIG = struct.Struct("<HBHBB")
_INFO = struct.Struct("<BIffBHI")
_GYRO_PRESENT, _CLIPPED = 1, 4
_ATT_HEADER = 3
_SIX_AXES = 12
_LARGEST_N = 255
_SHORTEST_PERIOD_NS = 100_000
_FULL_SCALE = 32767
_AXLES: tuple[tuple[float, float, float] | None, ...] = (
    None,
    (1.0, 0.0, 0.0),
    (-1.0, 0.0, 0.0),
    (0.0, 1.0, 0.0),
    (0.0, -1.0, 0.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, -1.0),
)
# A copy of a packet that comes soon is one of the last few.
_REMEMBERED_PACKETS = 32
# No packet comes later than that; a clock that is farther back has started anew.
_LATEST_S = 10.0
# A roller that has started anew counts its packets from 0; the first may get lost.
_FIRST_PACKETS = 100


@dataclass(frozen=True, slots=True)
class RollerInfo:
    """What a roller says about itself.

    Attributes:
        period_ns: time between samples.
        accel_mps2_per_lsb: scale of the accelerometer, 0 without one.
        gyro_radps_per_lsb: scale of the gyroscope, 0 without one.
        axle: unit vector of the axle in the sensor's axes, None if not known.
        radius_m: rolling radius, None if not known.
        clock_us: the roller's clock when it answered.
    """

    period_ns: int
    accel_mps2_per_lsb: float
    gyro_radps_per_lsb: float
    axle: tuple[float, float, float] | None
    radius_m: float | None
    clock_us: int

    @property
    def period_s(self) -> float:
        """Time between samples."""
        return self.period_ns * 1e-9


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What to ask a roller for; it takes the nearest rate it has."""

    rate_hz: int
    accel_full_scale_g: int
    gyro_full_scale_dps: int
    max_samples: int
    run: bool


@dataclass(frozen=True, slots=True, eq=False)
class MotionPacket:
    """A motion notification as it stands; raw counts, `gyro` None when it carries none.

    That the roller dropped samples before it is not kept: `seq` or `t_us` says how many.
    """

    seq: int
    t_us: int
    clipped: bool
    accel: FloatArray
    gyro: FloatArray | None


def parse_info(data: bytes) -> RollerInfo:
    """Read the info characteristic.

    Raises:
        DecodeError: another profile version, wrong length, or values that cannot be.
    """
    # The version first: a later profile may well have another length.
    if data and data[0] != PROFILE_VERSION:
        raise DecodeError(
            f"roller profile version {data[0]} is not known, only {PROFILE_VERSION}.",
            hint="A newer rolltrack may read it.",
        )
    _, period_ns, accel, gyro, axle, radius, clock_us = _unpack(_INFO, data, "info")
    if period_ns < _SHORTEST_PERIOD_NS:
        raise DecodeError(f"roller info: the sample period is {period_ns} ns.")
    for name, scale in (("accelerometer", accel), ("gyroscope", gyro)):
        if not 0 <= scale < math.inf:
            raise DecodeError(f"roller info: the {name}'s scale is {scale}.")
    if axle >= len(_AXLES):
        raise DecodeError(f"roller info: axle {axle} is not one of 0 to {len(_AXLES) - 1}.")
    return RollerInfo(period_ns, accel, gyro, _AXLES[axle], radius * 1e-4 or None, clock_us)


def parse_config(data: bytes) -> StreamConfig:
    """Read the config characteristic; DecodeError when its length is wrong."""
    rate_hz, accel_g, gyro_dps, max_samples, run = _unpack(_CONFIG, data, "config")
    return StreamConfig(rate_hz, accel_g, gyro_dps, max_samples, bool(run))


def encode_config(config: StreamConfig) -> bytes:
    """The bytes to write to the config characteristic."""
    return _CONFIG.pack(
        config.rate_hz,
        config.accel_full_scale_g,
        config.gyro_full_scale_dps,
        config.max_samples,
        config.run,
    )


def samples_that_fit(mtu: int) -> int:
    """How many six-axis samples one notification can carry; the smallest MTU, 23, allows one."""
    room = (mtu - _ATT_HEADER - _MOTION_HEADER.size) // _SIX_AXES
    return min(max(room, 1), _LARGEST_N)


def _unpack(layout: struct.Struct, data: bytes, what: str) -> tuple[Any, ...]:
    if len(data) != layout.size:
        raise DecodeError(f"roller {what}: {len(data)} bytes instead of {layout.size}.")
    return layout.unpack(data)


def parse_motion(data: bytes) -> MotionPacket:
    """Read a motion notification.

    Raises:
        DecodeError: its length is not what its header says, or it holds no samples.
    """
    size = _MOTION_HEADER.size
    if len(data) < size:
        raise DecodeError(f"motion packet: {len(data)} bytes are less than its {size}-byte header.")
    seq, t_us, flags, n = _MOTION_HEADER.unpack_from(data)
    if n == 0:
        raise DecodeError("motion packet: it says it holds 0 samples.")
    axes = 6 if flags & _GYRO_PRESENT else 3
    if len(data) != size + 2 * axes * n:
        raise DecodeError(
            f"motion packet: {n} samples of {axes} axes need {size + 2 * axes * n} bytes,"
            f" there are {len(data)}."
        )
    counts = np.frombuffer(data, "<i2", offset=size).reshape(n, axes).astype(np.float64)
    gyro = counts[:, 3:] if flags & _GYRO_PRESENT else None
    return MotionPacket(seq, t_us, bool(flags & _CLIPPED), counts[:, :3], gyro)


class RollerV1Decoder:
    """Motion notifications of one connection -> readings and holes.

    Args:
        info: the roller's info, read after its config was written.
        after_s: `last_s` of the connection before, so that times never go back.
    """

    def __init__(self, info: RollerInfo, after_s: float = -math.inf) -> None:
        self.last_s = after_s
        self._info = info
        self._clock = DeviceClock(after_s=after_s)
        self._newest: MotionPacket | None = None
        self._late: MotionPacket | None = None
        self._seen: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED_PACKETS)

    def decode(self, message: bytes, arrival_s: float) -> list[ImuSamples | SignalGap]:
        """See `Decoder.decode`."""
        packet = parse_motion(message)
        if (packet.seq, packet.t_us) in self._seen:
            return []
        accel, gyro = self._scaled(packet)
        self._refuse_late(packet)
        n = len(packet.accel)
        period_s = self._info.period_s
        restarted = self._clock.restarted(packet.t_us, arrival_s)
        first_s = None if restarted else self._clock.peek(packet.t_us)
        if first_s is None:
            first_s = self._clock.anchor(packet.t_us, arrival_s, (n - 1) * period_s, period_s)
        elif first_s <= self.last_s:
            raise DecodeError(
                f"motion packet {packet.seq}: its first reading is {self.last_s - first_s:.4f} s"
                " before the last one of the packet before."
            )
        gap = self._gap(packet, first_s, restarted=restarted)
        t_s = first_s + period_s * np.arange(n, dtype=np.float64)
        self._newest = packet
        self._seen.append((packet.seq, packet.t_us))
        self.last_s = float(t_s[-1])
        self._clock.advance(packet.t_us, arrival_s, self.last_s)
        samples = ImuSamples(t_s, accel, gyro, _clipped(packet))
        return [samples] if gap is None else [gap, samples]

    def _refuse_late(self, packet: MotionPacket) -> None:
        """A packet from before the newest one comes late; a second one tells of a new start."""
        before, self._late = self._late, None
        if self._newest is None or not self._is_earlier(packet, self._newest):
            return
        starts_anew = (
            before is not None
            and packet.seq == before.seq + 1 < _FIRST_PACKETS
            and self._is_earlier(before, packet)
        )
        if not starts_anew:
            self._late = packet
            raise DecodeError(f"motion packet {packet.seq}: it comes after later ones.")

    def _is_earlier(self, packet: MotionPacket, other: MotionPacket) -> bool:
        """By number and clock, and no more by number than readings fit between the two."""
        packets = (other.seq - packet.seq) % 2**16
        earlier_s = (other.t_us - packet.t_us) % 2**32 * 1e-6
        least_s = 0.5 * packets * self._info.period_s
        return 0 < packets < 2**15 and least_s < earlier_s < _LATEST_S

    def _scaled(self, packet: MotionPacket) -> tuple[FloatArray | None, FloatArray | None]:
        accel_scale, gyro_scale = self._info.accel_mps2_per_lsb, self._info.gyro_radps_per_lsb
        accel = packet.accel * accel_scale if accel_scale else None
        gyro = packet.gyro * gyro_scale if packet.gyro is not None and gyro_scale else None
        if accel is None and gyro is None:
            raise DecodeError("motion packet: the roller's info names no sensor that it carries.")
        return accel, gyro

    def _gap(self, packet: MotionPacket, first_s: float, *, restarted: bool) -> SignalGap | None:
        if self._newest is None:
            return None
        if restarted:
            return SignalGap(self.last_s, first_s, 0, "clock_reset")
        lost = round((first_s - self.last_s) / self._info.period_s) - 1
        if lost <= 0:
            return None
        in_sequence = packet.seq == (self._newest.seq + 1) % 2**16
        reason: GapReason = "missing_readings" if in_sequence else "packets_lost"
        return SignalGap(self.last_s, first_s, lost, reason)


def _clipped(packet: MotionPacket) -> BoolArray | None:
    """Readings at the end of the 16-bit scale; if there are none, the sensor clips earlier: all."""
    if not packet.clipped:
        return None
    parts = [packet.accel] if packet.gyro is None else [packet.accel, packet.gyro]
    at_end: BoolArray = np.any(np.abs(np.hstack(parts)) >= _FULL_SCALE, axis=1)
    return at_end if at_end.any() else np.ones(len(packet.accel), dtype=bool)
