"""From a trace to the counts an IMU chip delivers: even rate, 16 bits, a full scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_sim.errors import InputError

if TYPE_CHECKING:
    from firmware_sim.packets import Counts
    from firmware_sim.trace import FloatArray, Trace

BoolArray: TypeAlias = NDArray[np.bool_]

LEAST, MOST = -(2**15), 2**15 - 1
SAME_TIME_S = 1e-6
FILTER_BELOW_PERIODS = 0.7
"""A trace with more than one reading in a period is averaged over it, as the chip's filter does."""
HOLE_PERIODS = 2.5
"""Readings further apart than this many periods have a hole between them; nobody fills it."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """The trace as the chip samples it, one reading each period since its start.

    Attributes:
        counts: (n, 3) accelerometer, or (n, 6) accelerometer and gyroscope.
        clipped: (n,) True where an axis sits at its full scale.
        present: (n,) False where the trace has a hole.
    """

    counts: Counts
    clipped: BoolArray
    present: BoolArray

    def __len__(self) -> int:
        return len(self.counts)


def quantise(values: FloatArray, lsb: FloatArray | float) -> tuple[Counts, BoolArray]:
    """Round to 16-bit counts of `lsb`; say where the full scale was reached."""
    counts = np.rint(values / lsb)
    clipped: BoolArray = np.logical_or(counts >= MOST, counts <= LEAST)
    return np.clip(counts, LEAST, MOST).astype(np.int16), clipped


def sample(trace: Trace, *, rate_hz: float, accel_lsb: float, gyro_lsb: float) -> Readings:
    """Read the trace at an even rate.

    A trace without accelerometer gives zero counts there: the profile has no gyroscope-only packet,
    and info says with an accelerometer scale of 0 that they mean nothing.

    Raises:
        InputError: the trace has no two readings in a row.
    """
    measured = [part for part in (trace.accel_mps2, trace.gyro_radps) if part is not None]
    values, present = _resample(trace.t_s, np.hstack(measured), rate_hz)
    if not present.any():
        raise InputError("The trace has no two readings in a row, so there is nothing to replay.")
    scales = [
        *([] if trace.accel_mps2 is None else [accel_lsb] * 3),
        *([] if trace.gyro_radps is None else [gyro_lsb] * 3),
    ]
    counts, clipped = quantise(values, np.array(scales))
    if trace.accel_mps2 is None:
        counts = np.hstack([np.zeros_like(counts), counts])
    return Readings(counts, np.asarray(clipped.any(axis=1)), present)


def _resample(t_s: FloatArray, values: FloatArray, rate_hz: float) -> tuple[FloatArray, BoolArray]:
    """Values on an even grid from the first reading on, and where they are known."""
    grid_s = t_s[0] + np.arange(int((t_s[-1] - t_s[0]) * rate_hz + 1e-6) + 1) / rate_hz
    whole = np.isfinite(values).all(axis=1)
    typical_s = float(np.median(np.diff(t_s)))
    t_s, values = t_s[whole], values[whole]
    if len(t_s) == 0:
        return np.zeros((len(grid_s), values.shape[1])), np.zeros(len(grid_s), dtype=bool)
    after = np.clip(np.searchsorted(t_s, grid_s - SAME_TIME_S), 0, len(t_s) - 1)
    before = np.clip(np.searchsorted(t_s, grid_s + SAME_TIME_S) - 1, 0, len(t_s) - 1)
    present = t_s[after] - t_s[before] <= HOLE_PERIODS * max(typical_s, 1.0 / rate_hz)
    present &= (t_s[before] <= grid_s + SAME_TIME_S) & (t_s[after] >= grid_s - SAME_TIME_S)
    faster = typical_s * rate_hz < FILTER_BELOW_PERIODS
    half_s = np.minimum(0.5 / rate_hz if faster else 0.0, _distance_to_ends(t_s, grid_s))
    return _means(t_s, values, grid_s, half_s), present


def _distance_to_ends(t_s: FloatArray, at_s: FloatArray) -> FloatArray:
    distance_s: FloatArray = np.maximum(np.minimum(at_s - t_s[0], t_s[-1] - at_s), 0.0)
    return distance_s


def _means(
    t_s: FloatArray, values: FloatArray, centres_s: FloatArray, half_s: FloatArray
) -> FloatArray:
    """Mean over centre +- half of the straight lines between readings: the chip's low-pass filter.

    Where half is as good as 0 it is the value on the line.
    """
    on_line = np.column_stack([np.interp(centres_s, t_s, column) for column in values.T])
    wide = half_s > SAME_TIME_S
    steps_s = np.diff(t_s)[:, None]
    areas = np.cumsum((values[1:] + values[:-1]) / 2 * steps_s, axis=0)
    areas = np.vstack([np.zeros(values.shape[1]), areas])

    def area_until(at_s: FloatArray) -> FloatArray:
        before = np.clip(np.searchsorted(t_s, at_s, side="right") - 1, 0, len(t_s) - 1)
        there = np.column_stack([np.interp(at_s, t_s, column) for column in values.T])
        area: FloatArray = (
            areas[before] + (values[before] + there) / 2 * (at_s - t_s[before])[:, None]
        )
        return area

    centres_s, half_s = centres_s[wide], half_s[wide]
    swept = area_until(centres_s + half_s) - area_until(centres_s - half_s)
    on_line[wide] = swept / (2 * half_s)[:, None]
    return on_line
