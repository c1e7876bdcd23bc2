"""One batch of raw readings, as phones and remote sensors publish them -> samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from rolltrack.core.sample import MOST_MPS2, MOST_RADPS, ImuSamples
from rolltrack.errors import DecodeError
from rolltrack.wire import ImuBatch

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

_LATEST_MS = 253_402_300_800_000
"""Calendars end with the year 9999."""

_FARTHEST_MS = 3_600_000
"""A thousand readings of the slowest sensor last less; a reading beyond it has a wrong time."""
LEAST_STEP_MS = 0.001
"""No sensor is quicker, and after years of stream seconds it is still there."""


def read_batch(body: bytes) -> ImuBatch:
    """Parse a message; see `rolltrack.wire.ImuBatch`.

    Raises:
        DecodeError: it is not such a batch.
    """
    try:
        batch = msgspec.json.decode(body, type=ImuBatch)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a batch of readings: {error}.", hint="See docs/mqtt.md.") from error
    if not 0 <= batch.ts < _LATEST_MS:
        raise DecodeError("ts is no Unix time in ms.", hint="See docs/mqtt.md.")
    if batch.v != 1:
        raise DecodeError(f"version {batch.v} of batches is not known.", hint="Use version 1.")
    return batch


def samples_of(batch: ImuBatch, origin_ms: int, origin_s: float = 0.0) -> ImuSamples:
    """The readings, on stream seconds: `origin_ms` of the publisher is stream second `origin_s`.

    Raises:
        DecodeError: columns are missing or differ in length, times do not increase or lie far from
            `ts`, or a value is none that a sensor gives.
    """
    t_ms = np.array(batch.t_ms, dtype=np.float64)
    if not (np.abs(t_ms) <= _FARTHEST_MS).all():
        raise DecodeError("a time in t_ms is more than an hour from ts.")
    if not (np.diff(t_ms) >= LEAST_STEP_MS).all():
        raise DecodeError("t_ms does not increase from reading to reading.")
    accel = _triple(batch, "ax_mps2", "ay_mps2", "az_mps2", most=MOST_MPS2)
    gyro = _triple(batch, "gx_radps", "gy_radps", "gz_radps", most=MOST_RADPS)
    if accel is None and gyro is None:
        raise DecodeError("a batch needs all of a[xyz]_mps2, or all of g[xyz]_radps.")
    t_s = origin_s + (batch.ts - origin_ms) / 1000 + t_ms / 1000
    return ImuSamples(t_s, accel, gyro)


def _triple(batch: ImuBatch, *names: str, most: float) -> FloatArray | None:
    columns = [getattr(batch, name) for name in names]
    if all(column is None for column in columns):
        return None
    for name, column in zip(names, columns, strict=True):
        if column is None or len(column) != len(batch.t_ms):
            raise DecodeError(f"{name} needs as many values as t_ms, which has {len(batch.t_ms)}.")
    table = np.array(columns, dtype=np.float64).T  # null becomes NaN, a missing reading
    with np.errstate(invalid="ignore"):
        if (np.abs(table) > most).any():
            raise DecodeError(f"a value of {', '.join(names)} is beyond {most:g}.")
    return np.ascontiguousarray(table)
