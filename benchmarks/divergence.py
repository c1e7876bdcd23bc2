"""Does any estimate ever run away? Every scenario, many seeds, the largest errors.

A session diverges when an answer that claims to be valid is off by more than `RUNAWAY_MPS` or
comes with a standard deviation that is not finite and positive.

python benchmarks/divergence.py [--seeds 3] [--first 5000] [--only SCENARIO ...] [--final] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from _accuracy_jobs import DEMOS, WITH_GYRO
from _accuracy_methods import ours
from _accuracy_metrics import RUNAWAY_MPS
from _accuracy_session import SensorSet, simulated
from rich.console import Console
from rich.progress import Progress

from firmware_sim.scenario import bundled_scenarios


class Session(NamedTuple):
    """What one session of a scenario came to."""

    scenario: str
    seed: int
    sensors: SensorSet
    method: str
    worst_mps: float
    sound: bool


def measure(scenario: str, seed: int, *, live_too: bool) -> list[Session]:
    """Both sensor sets, final, and live if wanted."""
    session = simulated(scenario, seed)
    sets: list[SensorSet] = ["accel", "both"] if scenario in WITH_GYRO else ["accel"]
    found = []
    for sensors in sets:
        for method, answer in ours(session, sensors, live_too=live_too).items():
            assert answer.sd_mps is not None
            said, true = answer.speed_mps, session.true_mps
            if session.shape == "ball":
                said = np.abs(said)
            both = np.isfinite(said) & np.isfinite(true)
            sign = 1.0 if said[both] @ true[both] >= 0 else -1.0
            worst = float(np.abs(sign * said[both] - true[both]).max(initial=0.0))
            sd = answer.sd_mps[np.isfinite(said)]
            sound = bool(np.all(np.isfinite(sd) & (sd > 0)))
            found.append(Session(scenario, seed, sensors, method, worst, sound))
    return found


def main() -> None:
    """Run them and report; exit code 1 if anything ran away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="sessions of each scenario")
    parser.add_argument("--first", type=int, default=5000, help="first seed")
    parser.add_argument("--only", nargs="+", default=[], metavar="SCENARIO")
    parser.add_argument("--final", action="store_true", help="final alone: a tenth of the time")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    names = [name for name in bundled_scenarios() if name not in DEMOS]
    names = [name for name in names if not options.only or name in options.only]
    seeds = range(options.first, options.first + options.seeds)
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    sessions: list[Session] = []
    with (
        ProcessPoolExecutor(mp_context=get_context("spawn")) as pool,
        Progress(console=Console(stderr=True)) as progress,
    ):
        task = progress.add_task("sessions", total=len(names) * len(seeds))
        for future in as_completed(
            pool.submit(measure, name, seed, live_too=not options.final)
            for name in names
            for seed in seeds
        ):
            sessions += future.result()
            progress.advance(task)
    runaway = [s for s in sessions if s.worst_mps > RUNAWAY_MPS or not s.sound]
    report = {
        "seeds": options.seeds,
        "sessions": len(sessions),
        "diverged": [s._asdict() for s in runaway],
        "worst": [s._asdict() for s in sorted(sessions, key=lambda s: -s.worst_mps)[:10]],
    }
    if options.json:
        print(json.dumps(report))
    else:
        print(f"{len(sessions)} sessions, {len(runaway)} diverged")
        for s in sorted(sessions, key=lambda s: -s.worst_mps)[:10]:
            print(f"  {s.scenario} {s.seed} {s.sensors} {s.method}: {100 * s.worst_mps:.1f} cm/s")
    sys.exit(1 if runaway else 0)


if __name__ == "__main__":
    main()
