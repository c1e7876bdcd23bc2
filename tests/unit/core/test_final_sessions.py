"""The final speed of whole sessions against the simulator's truth."""

import numpy as np

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack import load_protocol
from rolltrack.core.events import FinalSpeed
from rolltrack.core.motion.motion import Motion
from rolltrack.core.sample import ImuSamples
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker


def errors(name, seed):
    """Errors where the accelerometer's speed is known, up to one sign, and what was stated."""
    scenario = load_scenario(name)
    trace = record(scenario, seed).trace
    setup = Setup(
        "r", "a", load_protocol("slow-release"), scenario.radius_m,
        idle_s=None, start_at_once=True, live=False, keep_series=True,
    )  # fmt: skip
    tracker = Tracker(setup)
    events = tracker.feed(ImuSamples(trace.t_s, trace.accel_mps2)) + tracker.finish()
    motion = Motion.join([event.block for event in events if isinstance(event, FinalSpeed)])
    true = trace.true_speed_mps[np.searchsorted(trace.t_s, motion.t_s)]
    known = motion.valid & np.isfinite(true)
    said, true = motion.speed_mps[known], true[known]
    return np.sign(said @ true) * said - true, motion.speed_sd_mps[known]


def test_what_is_not_trusted_makes_nobody_beside_it_sure():
    error, sd = errors("carried", 1004)
    assert np.mean((error / sd) ** 2) < 1.5
    assert sd.min() > 1e-4


def test_a_lever_arm_as_long_as_the_radius_is_found():
    error, _ = errors("typical-r3", 1000)
    assert np.sqrt(np.mean(error**2)) < 0.002


def test_an_impact_at_the_very_end_leaves_no_sure_speed():
    error, sd = errors("impacts", 1012)
    assert np.abs(error).max() < 0.15
    assert np.abs(error / sd).max() < 12.0
