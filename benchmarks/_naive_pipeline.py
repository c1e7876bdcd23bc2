"""The obvious analysis of a trace, whole: read, unwrap, differentiate, cut. Our yardstick.

python benchmarks/_naive_pipeline.py TRACE
"""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
from scipy.signal import savgol_filter

RADIUS_M = 0.075


def strokes(path: str) -> list[tuple[float, float, float]]:
    """(start_s, end_s, mean speed) of every stroke, by the accelerometer's angle alone."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a script as one would write it
        lines = [line for line in file if not line.startswith("#")]
    columns = lines[0].strip().split(",")
    data = np.loadtxt(lines[1:], delimiter=",")
    t_s = data[:, columns.index("t_s")]
    force = data[:, [columns.index(f"a{axis}_mps2") for axis in "xyz"]]
    plane = np.linalg.svd(force - force.mean(axis=0), full_matrices=False)[2][:2]
    angle = np.unwrap(np.arctan2(*(force @ plane.T).T))
    period_s = float(np.median(np.diff(t_s)))
    speed = RADIUS_M * savgol_filter(angle, 31, 2, deriv=1, delta=period_s)
    kind = np.where(np.abs(speed) > 0.006, np.sign(speed), 0)
    edges = [0, *(np.flatnonzero(np.diff(kind)) + 1).tolist(), len(kind)]
    found = []
    for start, stop in pairwise(edges):
        duration_s = t_s[stop - 1] - t_s[start]
        length_m = np.abs(speed[start:stop]).sum() * period_s
        if kind[start] and duration_s > 0.25 and length_m > 0.025:
            found.append((t_s[start], t_s[stop - 1], length_m / duration_s))
    return found


if __name__ == "__main__":
    print(len(strokes(sys.argv[1])), "strokes")
