"""The bytes of docs/roller-gatt.md, as the roller writes them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from firmware_sim.mounting import Axle

Counts: TypeAlias = NDArray[np.int16]

PROFILE_VERSION = 1
GYRO_PRESENT, OVERRUN, CLIPPED = 1, 2, 4
AXLE_CODES: dict[Axle | None, int] = {None: 0, "+x": 1, "-x": 2, "+y": 3, "-y": 4, "+z": 5, "-z": 6}

_MOTION_HEADER = struct.Struct("<HIBB")
_CONFIG = struct.Struct("<HBHBB")
_INFO = struct.Struct("<BIffBHI")
_STATUS = struct.Struct("<HIHB")
_ATT_NOTIFICATION_HEADER = 3
_MOST_SAMPLES = 255


@dataclass(frozen=True, slots=True)
class Config:
    """What a central may ask for."""

    rate_hz: int = 100
    accel_full_scale_g: int = 8
    gyro_full_scale_dps: int = 1000
    max_samples: int = 10
    run: bool = True


def samples_that_fit(att_mtu: int, axes: int) -> int:
    """How many samples of 3 or 6 axes one notification can carry."""
    room = att_mtu - _ATT_NOTIFICATION_HEADER - _MOTION_HEADER.size
    return min(room // (2 * axes), _MOST_SAMPLES)


def encode_motion(
    seq: int, t_us: int, counts: Counts, *, overrun: bool = False, clipped: bool = False
) -> bytes:
    """One motion packet.

    Args:
        seq: packet number, wraps here.
        t_us: clock at the first sample, wraps here.
        counts: (n, 3) accelerometer, or (n, 6) accelerometer and gyroscope; 1 to 255 samples.
        overrun: samples were dropped since the last packet.
        clipped: a reading hit the full scale.
    """
    n, axes = counts.shape
    flags = GYRO_PRESENT * (axes == len("xyzxyz")) | OVERRUN * overrun | CLIPPED * clipped
    header = _MOTION_HEADER.pack(seq % 2**16, t_us % 2**32, flags, n)
    return header + counts.astype("<i2").tobytes()


def samples_in(packet: bytes) -> int:
    """How many samples a motion packet holds."""
    return int(_MOTION_HEADER.unpack_from(packet)[3])


def encode_config(config: Config) -> bytes:
    """The config characteristic."""
    return _CONFIG.pack(
        config.rate_hz,
        config.accel_full_scale_g,
        config.gyro_full_scale_dps,
        config.max_samples,
        config.run,
    )


def decode_config(value: bytes) -> Config:
    """What a central wrote.

    Raises:
        ValueError: not seven bytes, or a value that no roller could take.
    """
    if len(value) != _CONFIG.size:
        raise ValueError(f"config has {_CONFIG.size} bytes, not {len(value)}")
    rate_hz, accel_g, gyro_dps, max_samples, run = _CONFIG.unpack(value)
    if 0 in {rate_hz, accel_g, gyro_dps, max_samples} or run > 1:
        raise ValueError(f"config {value.hex()} holds a value out of range")
    return Config(rate_hz, accel_g, gyro_dps, max_samples, bool(run))


def encode_info(  # noqa: D417  # the quantities without an entry say all in their names
    *,
    period_ns: int,
    accel_mps2_per_lsb: float,
    gyro_radps_per_lsb: float,
    axle: Axle | None,
    radius_m: float | None,
    clock_us: int,
) -> bytes:
    """The info characteristic.

    Args:
        axle: sensor axis along the axle, None when not known.
        radius_m: rolling radius, None when not known.
    """
    radius_tenth_mm = 0 if radius_m is None else round(radius_m * 1e4)
    return _INFO.pack(
        PROFILE_VERSION,
        period_ns,
        accel_mps2_per_lsb,
        gyro_radps_per_lsb,
        AXLE_CODES[axle],
        radius_tenth_mm,
        clock_us,
    )


def encode_status(*, overruns: int, dropped: int, battery_mv: int, reset_reason: int) -> bytes:
    """The status characteristic; counters wrap."""
    return _STATUS.pack(overruns % 2**16, dropped % 2**32, battery_mv, reset_reason)
