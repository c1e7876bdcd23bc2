"""Strokes as fast as arms allow: where a sensor feels its own circling, and the floor at its worst.

The peaks are at 0.5 to 0.75 m/s; at the rim of a roller of 3 cm a sensor then circles with 2 g.
"""

import msgspec
import numpy as np
import pytest
from support.rolling import only, said, setup

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from firmware_sim.steps import CarryStep, RestStep, RollStep
from rolltrack.core.events import FinalSpeed, SessionEnded
from rolltrack.core.sample import ImuSamples
from rolltrack.core.tracker import Tracker

REST = RestStep(duration_s=2.0)


def rolled(scenario, seed, mean_mps, *, between=(), **changes):
    """Final speed and its error at every reading, both in m/s, and counts of strokes."""
    roll = RollStep(strokes=6, length_m=(0.25, 0.4), mean_speed_mps=mean_mps)
    steps = (REST, roll, *between, roll, REST)
    changed = msgspec.structs.replace(load_scenario(scenario), steps=steps, **changes)
    recording = record(changed, seed)
    trace = recording.trace
    tracker = Tracker(
        setup(radius_m=changed.radius_m, start_at_once=True, live=False, keep_series=True)
    )
    events = tracker.feed(ImuSamples(trace.t_s, trace.accel_mps2)) + tracker.finish()
    motion = said(events, FinalSpeed)
    true = trace.true_speed_mps
    sign = np.sign(np.nansum(motion.speed_mps * true))
    (ended,) = only(events, SessionEnded)
    counts = len(ended.strokes), len(recording.strokes)
    return true, sign * motion.speed_mps - true, motion.speed_sd_mps, counts


@pytest.mark.parametrize("seed", [1, 3, 4, 10])
@pytest.mark.parametrize("mean_mps", [(0.03, 0.4), (0.25, 0.4)])
def test_a_thin_roller_is_followed_where_circling_outweighs_gravity(seed, mean_mps):
    _, error, _, (found, true) = rolled("typical-r3", seed, mean_mps)
    assert found == true
    assert np.isfinite(error).mean() > 0.9
    assert np.sqrt(np.nanmean(error**2)) < 0.004
    assert np.nanmax(np.abs(error)) < 0.03


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_thin_roller_is_followed_after_it_was_carried_too(seed):
    _, error, _, (found, true) = rolled(
        "typical-r3", seed, (0.03, 0.4), between=(CarryStep(duration_s=6.0),)
    )
    assert found == true
    assert np.sqrt(np.nanmean(error**2)) < 0.007


@pytest.mark.parametrize("seed", [1, 4])
def test_a_thin_roller_on_a_wall_is_followed_too(seed):
    mounting = load_scenario("typical-r3").mounting
    _, error, _, (found, true) = rolled("wall", seed, (0.25, 0.4), radius_m=0.03, mounting=mounting)
    assert found == true
    assert np.sqrt(np.nanmean(error**2)) < 0.007


@pytest.mark.parametrize("floor", ["smooth", "typical", "rough"])
def test_the_fastest_instants_of_a_mixed_session_are_as_wrong_as_said(floor):
    within = []
    for seed in range(3):
        true, error, sd, _ = rolled(floor, seed, (0.03, 0.4))
        fast = np.isfinite(error) & (np.abs(true) > 0.3)
        within.append(np.abs(error[fast]) < 2 * sd[fast])
    assert np.concatenate(within).mean() > 0.92
