"""True strokes, by the rule that every figure about strokes is compared with.

A run of one direction with |speed| above 6 mm/s, same-direction pauses shorter than 0.25 s
bridged, at least 25 mm long and 0.25 s. It begins and ends where a straight line between two
instants of the truth passes 6 mm/s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from firmware_sim.trace import FloatArray

THRESHOLD_MPS = 0.006
LONGEST_PAUSE_S = 0.25
SHORTEST_S = 0.25
SHORTEST_M = 0.025

HEADER = "n,start_s,end_s,direction,length_m,mean_speed_mps"


@dataclass(frozen=True, slots=True)
class TrueStroke:
    """One stroke as it really was; `mean_speed_mps` is length divided by duration."""

    n: int
    start_s: float
    end_s: float
    direction: int
    length_m: float
    mean_speed_mps: float
    peak_speed_mps: float


def true_strokes(t_s: FloatArray, speed_mps: FloatArray) -> tuple[TrueStroke, ...]:
    """Find the strokes in a speed (n,) that is known everywhere; NaN belongs to no stroke."""
    speed = np.nan_to_num(speed_mps)
    sign = np.where(np.abs(speed) > THRESHOLD_MPS, np.sign(speed), 0).astype(int)
    edges = np.flatnonzero(np.diff(sign, prepend=0, append=0))
    runs: list[tuple[int, int, int]] = []
    for first, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        direction = int(sign[first])
        if not direction:
            continue
        if runs and runs[-1][0] == direction and t_s[first] - t_s[runs[-1][2]] < LONGEST_PAUSE_S:
            runs[-1] = (direction, runs[-1][1], stop - 1)
        else:
            runs.append((direction, first, stop - 1))
    steps_m = (np.abs(speed[1:]) + np.abs(speed[:-1])) / 2 * np.diff(t_s)
    place_m = np.concatenate([[0.0], np.cumsum(steps_m)])
    strokes: list[TrueStroke] = []
    for direction, first, last in runs:
        before_s, before_m = _beyond(t_s, direction * speed_mps, first, first - 1)
        after_s, after_m = _beyond(t_s, direction * speed_mps, last, last + 1)
        start_s, end_s = t_s[first] - before_s, t_s[last] + after_s
        duration_s = end_s - start_s
        length_m = place_m[last] - place_m[first] + before_m + after_m
        if duration_s < SHORTEST_S or length_m < SHORTEST_M:
            continue
        peak_mps = np.abs(speed[first : last + 1]).max()
        strokes.append(
            TrueStroke(
                n=len(strokes) + 1,
                start_s=float(start_s),
                end_s=float(end_s),
                direction=direction,
                length_m=float(length_m),
                mean_speed_mps=float(length_m / duration_s),
                peak_speed_mps=float(peak_mps),
            )
        )
    return tuple(strokes)


def _beyond(
    t_s: FloatArray, speed_mps: FloatArray, inside: int, outside: int
) -> tuple[float, float]:
    """How long it is still above the threshold on the way to its neighbour, and how far it gets."""
    if not 0 <= outside < len(t_s) or np.isnan(speed_mps[outside]):
        return 0.0, 0.0
    fast_mps, slow_mps = speed_mps[inside], speed_mps[outside]
    share = (fast_mps - THRESHOLD_MPS) / (fast_mps - slow_mps)
    above_s = share * abs(t_s[inside] - t_s[outside])
    return float(above_s), float(above_s * (fast_mps + THRESHOLD_MPS) / 2)


def write_strokes(path: Path, strokes: Sequence[TrueStroke]) -> None:
    """Write strokes as CSV."""
    rows = (
        f"{s.n},{s.start_s:.4f},{s.end_s:.4f},{s.direction},{s.length_m:.5f},{s.mean_speed_mps:.5f}"
        for s in strokes
    )
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
