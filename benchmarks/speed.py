"""How long things take, each beside a named alternative in the same run.

* `rolltrack analyse` against the naive scipy pipeline: whole processes on one ten-minute trace, and
  samples per second of the estimate alone.
* `rolltrack --help` against `python -c pass`.

python benchmarks/speed.py [--json]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _naive_pipeline import strokes as naive_strokes

from rolltrack import load_protocol, sample_trace
from rolltrack.analysis import analyse_trace
from rolltrack.core.sample import ImuSamples
from rolltrack.traces.reader import read_trace
from rolltrack.traces.trace import Trace, TraceMeta
from rolltrack.traces.writer import write_trace

HERE = Path(__file__).parent
RUNS = 5
TEN_MINUTES_S = 600.0


def ten_minutes(path: Path) -> int:
    """Write the bundled accelerometer-only session again and again until it lasts ten minutes."""
    one = read_trace(sample_trace("back")).samples
    assert one.accel_mps2 is not None
    span_s = float(one.t_s[-1]) + 0.01
    copies = int(np.ceil(TEN_MINUTES_S / span_s))
    t_s = np.concatenate([one.t_s + i * span_s for i in range(copies)])
    accel = np.tile(one.accel_mps2, (copies, 1))
    keep = t_s < TEN_MINUTES_S
    samples = ImuSamples(t_s[keep], accel[keep])
    write_trace(path, Trace("ten-minutes", TraceMeta(radius_m=0.075), samples))
    return len(samples)


def process_s(*command: str) -> float:
    """Median wall time of a whole process."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def call_s(function: object, *arguments: object, **named: object) -> float:
    """Median wall time of a call."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        function(*arguments, **named)  # type: ignore[operator] # any callable will do
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def measure() -> dict[str, float]:
    """All figures, seconds unless the key says otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "ten-minutes.csv"
        samples = ten_minutes(trace)
        rolltrack = str(Path(sys.executable).with_name("rolltrack"))
        analyse = process_s(rolltrack, "analyse", str(trace), "--json")
        naive = process_s(sys.executable, str(HERE / "_naive_pipeline.py"), str(trace))
        protocol = load_protocol("slow-release")
        analyse_call = call_s(analyse_trace, trace, protocol=protocol)
        naive_call = call_s(naive_strokes, str(trace))
        help_time = process_s(rolltrack, "--help")
        nothing = process_s(sys.executable, "-c", "pass")
    return {
        "samples": samples,
        "analyse_process_s": analyse,
        "naive_process_s": naive,
        "analyse_process_over_naive": analyse / naive,
        "analyse_samples_per_s": samples / analyse_call,
        "naive_samples_per_s": samples / naive_call,
        "analyse_us_per_sample": 1e6 * analyse_call / samples,
        "help_s": help_time,
        "python_pass_s": nothing,
        "help_over_python_pass": help_time / nothing,
    }


if __name__ == "__main__":
    figures = measure()
    if "--json" in sys.argv:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:32s} {value:14.4g}")
