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

_LATEST_MS = 2**53
"""Beyond it a float has no milliseconds."""


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


def samples_of(batch: ImuBatch, epoch_unix_s: float) -> ImuSamples:
    """The readings, on stream seconds counted from the epoch.

    Raises:
        DecodeError: columns are missing or differ in length, times do not increase, or a value is
            none that a sensor gives.
    """
    t_s = (batch.ts / 1000 - epoch_unix_s) + np.array(batch.t_ms, dtype=np.float64) / 1000
    if not np.all(np.diff(t_s) > 0) or not np.isfinite(t_s).all():
        raise DecodeError("t_ms does not increase from reading to reading.")
    accel = _triple(batch, "ax_mps2", "ay_mps2", "az_mps2", most=MOST_MPS2)
    gyro = _triple(batch, "gx_radps", "gy_radps", "gz_radps", most=MOST_RADPS)
    if accel is None and gyro is None:
        raise DecodeError("a batch needs all of a[xyz]_mps2, or all of g[xyz]_radps.")
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
