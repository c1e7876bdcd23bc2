"""What the roller rolls on, told from the readings; without a gyroscope only walls from floors."""

import pytest
from support.rolling import setup

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack.core.motion.ground import LEVEL, NOTHING_SEEN, GroundSeen
from rolltrack.core.sample import ImuSamples
from rolltrack.core.tracker import Tracker


def ground_at_the_end(name):
    trace = record(load_scenario(name), 3).trace
    tracker = Tracker(setup(start_at_once=True))
    tracker.feed(ImuSamples(trace.t_s, trace.accel_mps2))
    return tracker.state.session.live.window.ground.ground


@pytest.mark.parametrize("name", ["typical", "rough", "impacts", "slip30", "spinning", "clean"])
def test_a_floor_is_not_taken_for_a_wall(name):
    assert ground_at_the_end(name) == LEVEL


def test_a_wall_is_not_taken_for_a_floor():
    assert abs(ground_at_the_end("wall").imag) == 1


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
