"""What is left of an unknown radius after a roll over one measured metre (simulated).

The roller's true radius is drawn within 10 % of the 7.5 cm assumed. One recording of the scenario
`calibration-roll` gives the radius; a session of the same roller on a typical floor is then
analysed with it, and the strokes' mean speeds are compared with the truth, absolutely.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from _accuracy_methods import ours
from _accuracy_metrics import sums
from _accuracy_session import session_of

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from firmware_sim.trace import write_trace
from rolltrack.analysis.calibrate import calibrate

if TYPE_CHECKING:
    from _accuracy_metrics import Sums

    from firmware_sim.scenario import Scenario

ASSUMED_M, SPREAD = 0.075, 0.1


def after_calibration(seed: int) -> dict[str, Sums]:
    """Figures of ours after calibration, by method."""
    true_m = ASSUMED_M * (1 + np.random.default_rng(seed).uniform(-SPREAD, SPREAD))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "roll.csv"
        roll = record(_with_radius("calibration-roll", true_m), seed).trace
        write_trace(path, roll.with_metadata(radius_m=f"{ASSUMED_M:g}"))
        found_m = calibrate(path, 1.0, sensors="accel").radius_m
    session = replace(session_of(_with_radius("typical", true_m), seed), radius_m=found_m)
    return {method: sums(session, answer) for method, answer in ours(session, "accel").items()}


def _with_radius(name: str, radius_m: float) -> Scenario:
    return msgspec.structs.replace(load_scenario(name), radius_m=radius_m)
