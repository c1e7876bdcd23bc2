"""What the roller rolls on, told from the readings; without a gyroscope only walls from floors."""

import numpy as np
import pytest

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack import load_protocol
from rolltrack.core.events import LiveSpeed, SessionEnded
from rolltrack.core.motion.ground import LEVEL, NOTHING_SEEN, GroundSeen
from rolltrack.core.sample import ImuSamples
from rolltrack.core.tracker import Setup, Tracker


def tracked(name, seed):
    """The recording, the tracker as it is at the end of it, and all events."""
    recording = record(load_scenario(name), seed)
    tracker = Tracker(
        Setup("r", "a", load_protocol("slow-release"), 0.075, idle_s=None, start_at_once=True)
    )
    events = tracker.feed(ImuSamples(recording.trace.t_s, recording.trace.accel_mps2))
    ground = tracker.state.session.live.window.ground
    return recording, ground, [*events, *tracker.finish()]


def live_errors_mps(trace, events):
    blocks = [event.block for event in events if isinstance(event, LiveSpeed)]
    at = np.searchsorted(trace.t_s, np.concatenate([block.t_s for block in blocks]))
    said, true = np.concatenate([b.speed_mps for b in blocks]), trace.true_speed_mps[at]
    known = np.isfinite(said) & np.isfinite(true)
    return np.sign(said[known] @ true[known]) * said[known] - true[known]


@pytest.mark.parametrize("seed", [0, 1])
def test_strokes_on_a_wall_are_measured_without_a_gyroscope(seed):
    recording, ground, events = tracked("wall", seed)
    assert abs(ground.ground.imag) == 1
    (ended,) = (event for event in events if isinstance(event, SessionEnded))
    assert len(ended.strokes) == len(recording.strokes)
    wrong = [
        judged.stroke.mean_speed_mps * (true.end_s - true.start_s) / true.length_m - 1
        for judged, true in zip(ended.strokes, recording.strokes, strict=True)
    ]
    assert np.mean(np.abs(wrong)) < 0.01  # taken for a floor: 0.08


def test_a_hard_push_on_a_wall_does_not_run_away():
    recording, _, events = tracked("wall", 9401)
    assert np.abs(live_errors_mps(recording.trace, events)).max() < 0.2  # was 1.05


@pytest.mark.parametrize("name", ["typical", "rough", "impacts", "slip30", "spinning", "clean"])
def test_a_floor_is_not_taken_for_a_wall(name):
    _, ground, _ = tracked(name, 3)
    assert ground.ground == LEVEL


def test_one_moment_does_not_make_a_wall():
    moment = GroundSeen(pull=5000j, precision=5000.0).briefly()
    assert moment.precision < 100
    assert moment.ground == LEVEL
    several = NOTHING_SEEN
    for _ in range(4):
        several = several.and_later(moment)
    assert several.ground == 1j


def test_what_was_seen_fades():
    wall = GroundSeen(pull=-400j, precision=400.0)
    assert wall.ground == -1j
    for _ in range(30):
        wall = wall.and_later(NOTHING_SEEN, kept=0.8)
    assert wall.ground == LEVEL
