"""Readings as they come -> stretches without holes, of the sensors wanted, nothing missing."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rolltrack.core.sample import MOST_MPS2, MOST_RADPS, ImuSamples
from rolltrack.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.core.sample import BoolArray, FloatArray

Sensors: TypeAlias = Literal["auto", "accel", "gyro", "both"]

MAX_HOLE_S = 0.25
"""A longer hole between readings is a gap; a shorter one is bridged like a short pause."""


def usable(samples: ImuSamples, sensors: Sensors) -> ImuSamples:
    """Only the sensors wanted, and only readings in which all of them are there.

    Of "auto", a sensor that has no reading in the whole block is not wanted.

    Raises:
        InputError: a wanted sensor is absent, or times are not finite and strictly increasing.
    """
    accel, gyro = _wanted(samples, sensors)
    if not np.isfinite(samples.t_s).all() or (np.diff(samples.t_s) <= 0).any():
        raise InputError("times do not increase strictly.", hint="Sort the recording by time.")
    there = np.ones(len(samples), dtype=bool)
    for seen in (_there(accel, MOST_MPS2), _there(gyro, MOST_RADPS)):
        if seen is not None:
            there &= seen
    wanted = ImuSamples(samples.t_s, accel, gyro, samples.clipped)
    return wanted if there.all() else wanted.only(there)


def _wanted(samples: ImuSamples, sensors: Sensors) -> tuple[FloatArray | None, FloatArray | None]:
    """Accelerometer and gyroscope, as far as they are wanted and there."""
    accel, gyro = samples.accel_mps2, samples.gyro_radps
    if sensors in {"accel", "both"} and accel is None:
        raise InputError("no accelerometer readings.", hint="Choose --sensors gyro or auto.")
    if sensors in {"gyro", "both"} and gyro is None:
        raise InputError("no gyroscope readings.", hint="Choose --sensors accel or auto.")
    if sensors == "accel":
        gyro = None
    if sensors == "gyro":
        accel = None
    if accel is None and gyro is None:
        raise InputError("neither accelerometer nor gyroscope readings.")
    felt, turned = _there(accel, MOST_MPS2), _there(gyro, MOST_RADPS)
    if sensors == "auto" and felt is not None and turned is not None:
        if felt.any() and not turned.any():
            gyro = None
        elif turned.any() and not felt.any():
            accel = None
    return accel, gyro


def _there(readings: FloatArray | None, most: float) -> BoolArray | None:
    """(n,) which of the readings (n, 3) are ones."""
    return None if readings is None else np.asarray((np.abs(readings) <= most).all(axis=1))


def stretches(samples: ImuSamples, last_s: float | None) -> Iterator[tuple[bool, ImuSamples]]:
    """Cut at holes.

    Args:
        samples: usable readings.
        last_s: time of the reading before them, None for the first ever.

    Yields:
        Whether a hole lies before it, and a stretch without one.
    """
    if not len(samples):
        return
    steps_s = np.diff(samples.t_s, prepend=samples.t_s[0] if last_s is None else last_s)
    holes = np.flatnonzero(steps_s > MAX_HOLE_S)
    edges = sorted({0, *holes.tolist(), len(samples)})
    for start, stop in itertools.pairwise(edges):
        yield bool(steps_s[start] > MAX_HOLE_S), samples[start:stop]
