"""The second session of the same roller starts with what the first has learnt."""

import msgspec
import numpy as np
import pytest

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack import load_protocol
from rolltrack.core.events import LiveSpeed, SessionEnded
from rolltrack.core.sample import ImuSamples
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker

AFTER_S = 300.0


def session(seed, axle="+z"):
    scenario = load_scenario("typical")
    mounting = msgspec.structs.replace(scenario.mounting, axle=axle)
    trace = record(msgspec.structs.replace(scenario, mounting=mounting), seed).trace
    return ImuSamples(trace.t_s, trace.accel_mps2, None), trace.true_speed_mps


def later(samples, by_s):
    return ImuSamples(samples.t_s + by_s, samples.accel_mps2, None)


def live(tracker, samples, true_mps):
    """RMSE of the live speed in the first quarter of a minute, share known there, and the end."""
    events = [*tracker.feed(samples), *tracker.finish()]
    said = np.full(len(samples), np.nan)
    for event in events:
        if isinstance(event, LiveSpeed):
            said[np.searchsorted(samples.t_s, event.block.t_s)] = event.block.speed_mps
    early = samples.t_s - samples.t_s[0] < 15.0
    known = early & np.isfinite(said)
    sign = 1.0 if said[known] @ true_mps[known] >= 0 else -1.0
    error = sign * said[known] - true_mps[known]
    (ended,) = (event for event in events if isinstance(event, SessionEnded))
    return np.sqrt(np.mean(error**2)), known.sum() / early.sum(), ended


def tracker():
    return Tracker(Setup("r", "a", load_protocol("slow-release"), 0.075, idle_s=None))


def test_the_first_seconds_are_better_when_the_roller_is_known():
    cold_mps, warm_mps = [], []
    for seed in (11, 12, 15):
        samples, true_mps = session(seed)
        cold = live(tracker(), samples, true_mps)
        known = tracker()
        live(known, samples, true_mps)
        warm = live(known, later(samples, AFTER_S), true_mps)
        assert warm[1] >= cold[1], "known for at least as long"
        cold_mps.append(cold[0])
        warm_mps.append(warm[0])
    assert np.mean(warm_mps) < np.mean(cold_mps)


@pytest.mark.parametrize("seed", [13, 14])
def test_a_sensor_put_in_anew_is_learnt_anew(seed):
    old, old_mps = session(seed)
    new, new_mps = session(seed, axle="+x")
    _, _, fresh = live(tracker(), new, new_mps)
    known = tracker()
    live(known, old, old_mps)
    _, _, ended = live(known, later(new, AFTER_S), new_mps)
    assert len(ended.strokes) == len(fresh.strokes)
    for was, now in zip(fresh.strokes, ended.strokes, strict=True):
        assert now.stroke.mean_speed_mps == pytest.approx(was.stroke.mean_speed_mps, rel=0.02)
    assert ended.summary.unknown_s < fresh.summary.unknown_s + 5.0
