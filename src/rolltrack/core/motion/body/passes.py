"""A movement along one line -> where it goes which way, and where its speed can be believed.

Acceleration says when the body turns back far better than how far it went: a slow stroke is known
to be one, and how long it took, when its speed is not. Below about 6 cm/s along the tissue the
error of the twice integrated acceleration is about as large as what is to be measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.body.track import GRID_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rolltrack.core.motion.body.track import IntArray
    from rolltrack.core.sample import BoolArray, FloatArray

SLOWEST_KNOWN_MPS = 0.06
"""No speed is told of strokes slower than this, or not surely faster."""
_LARGEST_SHARE = 0.2
"""Of its length, by which a stroke may be uncertain and still have a speed."""
_MOVING_MPS, _SHORTEST_M = 0.006, 0.025
"""The contract's stroke: faster than this, and at least as long as this."""
_LONGEST_M = 1.0
"""Nobody slides further along a roller: what seems to is no body, or no roller under it."""
_SIGNIFICANT = 1.0
_SLOW_END, _STEADY_END = 0.35, 0.4
"""Of a pass's largest speed and acceleration: its end is where it is slow and brakes no more."""
_PAUSE_S, _SLOW_PAUSE_S = 0.25, 1.0
"""Shorter dips do not end a pass; of slow ones most dips are errors of the estimate."""


def passes(
    place_m: FloatArray,
    speed_mps: FloatArray,
    accel_mps2: FloatArray,
    sd_m: Callable[[IntArray, IntArray], FloatArray],
) -> tuple[FloatArray, BoolArray]:
    """Judge a movement along the tissue.

    Args:
        place_m: (m,) on the grid.
        speed_mps: (m,) its derivative.
        accel_mps2: (m,) the derivative of that.
        sd_m: standard deviation of the way between grid points.

    Returns:
        (m,) which way it goes: 1 and -1, 0 where it stands, NaN where that cannot be told; and (m,)
        whether the speed is known there.
    """
    way, known = np.zeros(len(place_m)), np.zeros(len(place_m), dtype=bool)
    runs = [
        (sign, *_without_pauses(first, last, sign * speed_mps, accel_mps2))
        for sign, start, stop in _excursions(place_m)
        for first, last in _moving(sign * speed_mps[start:stop], start)
    ]
    if not runs:
        return way, known
    sign, first, last = (np.array(column) for column in zip(*runs, strict=True))
    length = sign * (place_m[last] - place_m[first])
    sd = sd_m(first, last)
    surely = (length - sd) / np.maximum((last - first) * GRID_S, GRID_S)
    for i in np.flatnonzero(length >= _SHORTEST_M):
        during = slice(int(first[i]), int(last[i]) + 1)
        if length[i] > _LONGEST_M:
            way[during] = np.nan
            continue
        way[during] = sign[i] if length[i] > _SIGNIFICANT * sd[i] else np.nan
        known[during] = surely[i] >= SLOWEST_KNOWN_MPS and sd[i] <= _LARGEST_SHARE * length[i]
    return way, known


def _without_pauses(
    first: int, last: int, speed_mps: FloatArray, accel_mps2: FloatArray
) -> tuple[int, int]:
    """Cut off what is slow and steady at either end: a pause, with an error in its speed."""
    speed, accel = speed_mps[first : last + 1], np.abs(accel_mps2[first : last + 1])
    fast = np.flatnonzero(speed > _SLOW_END * speed.max())
    steady = accel < _STEADY_END * accel.max()
    before, after = steady[: fast[0]], steady[fast[-1] + 1 :]
    cut = len(before) - int(before[::-1].argmax()) if before.any() else 0
    end = fast[-1] + int(after.argmax()) if after.any() else len(speed) - 1
    return first + cut, first + int(end)


def _excursions(place_m: FloatArray) -> Iterator[tuple[int, int, int]]:
    """Direction, start and stop between turning points; a turn needs a stroke's length back."""
    sign = start = low = high = furthest = 0
    places = place_m.tolist()
    for i, place in enumerate(places):
        if not sign:
            low, high = min(low, i, key=places.__getitem__), max(high, i, key=places.__getitem__)
            if place - places[low] >= _SHORTEST_M:
                sign, start, furthest = 1, low, i
            elif places[high] - place >= _SHORTEST_M:
                sign, start, furthest = -1, high, i
        elif sign * (place - places[furthest]) > 0:
            furthest = i
        elif sign * (places[furthest] - place) >= _SHORTEST_M:
            yield sign, start, furthest + 1
            sign, start, furthest = -sign, furthest, i
    if sign:
        yield sign, start, len(places)


def _moving(speed_mps: FloatArray, start: int) -> Iterator[tuple[int, int]]:
    """First and last grid point of every run that moves on."""
    moving = np.flatnonzero(speed_mps > _MOVING_MPS)
    if not len(moving):
        return
    fast = float(speed_mps[moving].mean()) >= SLOWEST_KNOWN_MPS
    longest = round((_PAUSE_S if fast else _SLOW_PAUSE_S) / GRID_S)
    for run in np.split(moving, np.flatnonzero(np.diff(moving) > longest) + 1):
        yield start + int(run[0]), start + int(run[-1])
