"""Speed of a real wheelchair wheel by its accelerometer alone, against its own gyroscope.

Reference: the gyroscope along the axle, free of its rest bias, times one fitted scale (which takes
the scale out of the comparison). Only the straight part counts, 1.0 to 29.8 s. The recordings are
other people's and not part of the project: name their folder, or set ROLLTRACK_DATA; without them
nothing is measured.

python benchmarks/real.py [FOLDER] [--json]
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from rolltrack import analyse_trace, load_protocol
from rolltrack.core.motion.naive import naive_speed_mps
from rolltrack.traces.convert import convert
from rolltrack.traces.writer import write_trace

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray, ImuSamples

WHEEL = Path("wheelchair_wheel") / "right_wheel_sensors.csv"
WHEEL_RADIUS_M = 0.31
STRAIGHT_S = (1.0, 29.8)
REST_S = 1.5
REFERENCE_READINGS = 5
"""12 ms: the gyroscope's own noise at 400 Hz is as large as what is to be measured."""


def reference(samples: ImuSamples) -> tuple[FloatArray, FloatArray]:
    """(n,) speed by the gyroscope, and the axle it turns about."""
    rate = samples.gyro_radps
    assert rate is not None
    rate = rate - np.median(rate[samples.t_s < REST_S], axis=0)
    axle = np.linalg.eigh(rate.T @ rate)[1][:, 2]
    axle *= np.sign(axle[np.argmax(np.abs(axle))])
    return WHEEL_RADIUS_M * rate @ axle, axle


def error_cmps(speed: FloatArray, truth: FloatArray) -> tuple[float, float]:
    """RMSE in cm/s after one fitted scale, and the share of readings with an answer."""
    known = np.isfinite(speed)
    scale = float(speed[known] @ truth[known] / (truth[known] @ truth[known]))
    return 100 * float(np.sqrt(np.mean((speed - scale * truth)[known] ** 2))), float(known.mean())


def wheel(folder: Path) -> dict[str, float]:
    """All figures for the wheel."""
    trace = convert(folder / WHEEL, radius_m=WHEEL_RADIUS_M).trace
    assert trace.samples.accel_mps2 is not None
    t_s = trace.samples.t_s
    truth, axle = reference(trace.samples)
    with tempfile.TemporaryDirectory() as scratch:
        path, series = Path(scratch) / "wheel.csv", Path(scratch) / "series.csv"
        write_trace(path, trace)
        analyse_trace(path, protocol=load_protocol("slow-release"), sensors="accel", series=series)
        said = np.genfromtxt(series, delimiter=",", names=True)
    steady = uniform_filter1d(truth, REFERENCE_READINGS)
    straight = (t_s > STRAIGHT_S[0]) & (t_s < STRAIGHT_S[1])
    columns = {
        "naive": naive_speed_mps(t_s, trace.samples.accel_mps2, axle, WHEEL_RADIUS_M),
        "final": said["speed_mps"],
        "live": said["live_speed_mps"],
    }
    figures: dict[str, float] = {"readings": float(straight.sum())}
    for name, speed in columns.items():
        figures[f"{name}_rmse_cmps"], figures[f"{name}_known_share"] = error_cmps(
            speed[straight], truth[straight]
        )
        figures[f"{name}_rmse_cmps_12ms"], _ = error_cmps(speed[straight], steady[straight])
    late_s = said["live_said_s"] - said["t_s"]
    figures["live_latest_s"] = float(np.nanmax(late_s))
    return figures


if __name__ == "__main__":
    names = [word for word in sys.argv[1:] if not word.startswith("-")]
    home = Path(names[0] if names else os.environ.get("ROLLTRACK_DATA", "../shared/data"))
    if not (home / WHEEL).exists():
        print(f"{WHEEL} is not in {home}; nothing measured.")
    elif "--json" in sys.argv:
        print(json.dumps(wheel(home)))
    else:
        for name, value in wheel(home).items():
            print(f"{name:24s} {value:10.4g}")
