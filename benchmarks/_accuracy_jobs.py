"""Which sessions are measured, and one of them measured whole; a process pool runs many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import _accuracy_bound as bound
import _accuracy_real as real
from _accuracy_calibration import after_calibration
from _accuracy_methods import answers, ours
from _accuracy_metrics import sums
from _accuracy_session import simulated

from firmware_sim.scenario import bundled_scenarios

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from _accuracy_metrics import Sums
    from _accuracy_session import SensorSet

FIRST_SEED = 1000
"""Development looks at small seeds; these are kept for the table."""
CALIBRATED = "typical, after a 1 m calibration roll"
DEMOS = {"back", "calf", "thigh", "calibration-roll", "bad-air"}
WITH_GYRO = {
    "smooth", "typical", "rough", "typical-25hz", "typical-r5", "near-limit-typical",
    "near-limit-rough", "carried", "impacts", "slip30", "spinning", "wall", "ball", "ball-fast",
    "ball-slow", "ball-rough", "phone-in-roller", "phone-on-body", "holds", "short-strokes",
}  # fmt: skip
GYRO_ALONE = {"typical", "rough", "carried", "short-strokes"}
WITH_BOUND = {"smooth", "typical", "rough"}


class Row(NamedTuple):
    """A line of the table."""

    scenario: str
    sensors: str
    method: str


@dataclass(frozen=True, slots=True)
class Job:
    """One session: a scenario with a seed, or a part of a recording in `data`."""

    scenario: str
    seed: int = 0
    data: Path | None = None


def simulated_jobs(seeds: int, only: Iterable[str]) -> list[Job]:
    """All of them, or those of some scenarios."""
    names = [*(name for name in bundled_scenarios() if name not in DEMOS), CALIBRATED]
    wanted = set(only) or set(names)
    return [
        Job(name, FIRST_SEED + seed) for name in names if name in wanted for seed in range(seeds)
    ]


def real_jobs(data: Path, seeds: int, only: Iterable[str]) -> list[Job]:
    """Those whose recordings are there."""
    wanted = set(only)
    jobs = [Job(name, seed, data) for name, seed in real.sessions(data, FIRST_SEED, seeds)]
    return [job for job in jobs if not wanted or job.scenario in wanted]


def run(job: Job) -> dict[Row, Sums]:
    """Every method's figures on one session."""
    if job.data is not None:
        return _run_real(job)
    if job.scenario == CALIBRATED:
        found = after_calibration(job.seed)
        return {Row(CALIBRATED, "accel", method): figures for method, figures in found.items()}
    session = simulated(job.scenario, job.seed)
    rows: dict[Row, Sums] = {}
    for sensors in _sensor_sets(job.scenario):
        for method, answer in answers(session, sensors).items():
            rows[Row(job.scenario, sensors, method)] = sums(session, answer)
    if job.scenario in WITH_BOUND:
        sd_mps = bound.posterior_sd_mps(job.scenario, job.seed)
        rows[Row(job.scenario, "accel", "Cramer-Rao bound")] = {"rmse": (100 * sd_mps, 1.0)}
    return rows


def _run_real(job: Job) -> dict[Row, Sums]:
    assert job.data is not None
    session = real.load(job.scenario, job.seed, job.data)
    rows: dict[Row, Sums] = {}
    for sensors in real.SENSORS[job.scenario]:
        found = answers(session, sensors) if session.axle is not None else ours(session, sensors)
        for method, answer in found.items():
            rows[Row(job.scenario, sensors, method)] = real.figures(job.scenario, session, answer)
    return rows


def _sensor_sets(scenario: str) -> list[SensorSet]:
    sets: list[SensorSet] = ["accel"]
    if scenario in WITH_GYRO:
        sets.append("both")
    if scenario in GYRO_ALONE:
        sets.append("gyro")
    return sets
