"""What lies still is a hold only if rolling follows; not knowing is no rolling."""

import msgspec
import numpy as np
import pytest
from support.rolling import PROTOCOL, only, setup

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack.core.events import SessionEnded
from rolltrack.core.motion.motion import Motion
from rolltrack.core.sample import ImuSamples
from rolltrack.core.session.ledger import Ledger
from rolltrack.core.tracker import Tracker

ROLL, STILL, UNKNOWN = 0.05, 0.0, np.nan


def motion(*parts: tuple[float, float]) -> Motion:
    """So many seconds each of a speed, NaN where nothing is known."""
    speed = np.concatenate([np.full(round(s * 100), v) for s, v in parts])
    return Motion(np.arange(len(speed)) / 100, speed, speed * 0, np.isfinite(speed))


def held_s(whole: Motion, step: int) -> float:
    ledger = Ledger()
    for i in range(0, len(whole), step):
        ledger.feed(whole[i : i + step], PROTOCOL)
    return ledger.hold_s


CASES = {
    "lifted and put away": (((2, ROLL), (30, STILL), (5, UNKNOWN), (60, STILL)), 0),
    "lifted for good": (((2, ROLL), (30, STILL), (5, UNKNOWN)), 0),
    "lifted, and rolled again": (((2, ROLL), (30, STILL), (5, UNKNOWN), (2, ROLL)), 0),
    "put down, then held": (((2, ROLL), (9, STILL), (5, UNKNOWN), (20, STILL), (2, ROLL)), 20),
    "rolled": (((2, ROLL), (20, STILL), (2, ROLL)), 20),
    "knocked": (((2, ROLL), (20, STILL), (0.2, UNKNOWN), (10, STILL), (2, ROLL)), 30.2),
    "knocked at its end": (((2, ROLL), (20, STILL), (0.2, UNKNOWN), (2, ROLL)), 20),
    "knocked early": (((2, ROLL), (2, STILL), (0.2, UNKNOWN), (2, STILL), (2, ROLL)), 4.2),
    "knocked, and put away": (((2, ROLL), (20, STILL), (0.2, UNKNOWN), (60, STILL)), 0),
}


@pytest.mark.parametrize(("parts", "hold_s"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("step", [37, 10_000])
def test_a_hold_counts_once_rolling_follows(parts, hold_s, step):
    assert held_s(motion(*parts), step) == pytest.approx(hold_s, abs=0.6)


def test_of_a_worn_phone_the_way_alone_is_rolling_enough():
    whole = motion((2, ROLL), (20, STILL), (0.2, UNKNOWN), (2, UNKNOWN))
    way = np.where(whole.t_s < 22.2, np.sign(whole.speed_mps), 1.0)
    told = Motion(whole.t_s, whole.speed_mps, whole.speed_sd_mps, whole.valid, way)
    assert held_s(told, 500) == pytest.approx(20, abs=0.6)


def test_a_hole_that_nobody_told_is_neither_held_nor_rolled():
    whole = motion((2, ROLL), (9, STILL), (50, STILL), (4, STILL), (2, ROLL))
    seen = (whole.t_s < 11) | (whole.t_s > 61)
    parts = (whole.t_s, whole.speed_mps, whole.speed_sd_mps, whole.valid)
    ledger = Ledger()
    ledger.feed(Motion(*(part[seen] for part in parts)), PROTOCOL)
    assert ledger.hold_s == pytest.approx(4, abs=0.6)


def session_hold_s(scenario) -> float:
    trace = record(scenario, 1003).trace
    tracker = Tracker(setup(live=False))
    events = tracker.feed(ImuSamples(trace.t_s, trace.accel_mps2)) + tracker.finish()
    return only(events, SessionEnded)[0].summary.hold_s


def test_knocks_take_nothing_from_the_holds_of_a_session():
    holds, knocks = load_scenario("holds"), load_scenario("impacts").impacts
    knocked = msgspec.structs.replace(holds, impacts=knocks)
    assert session_hold_s(knocked) == pytest.approx(session_hold_s(holds), rel=0.02)
