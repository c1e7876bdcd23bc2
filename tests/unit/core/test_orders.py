"""What a running tracker can be asked: a session now, another limit, the radius of a roll."""

import numpy as np
import pytest
from support.rolling import PROTOCOL, only, run, setup, to_and_fro

from rolltrack.core.calibration import PATIENCE_S, CalibrationError, LiveRoll
from rolltrack.core.events import LimitSet, LiveSpeed, SessionEnded, SessionStarted, StrokeEnded
from rolltrack.core.tracker import Tracker
from rolltrack.errors import InputError, UsageError

ROLL = to_and_fro([0.3, -0.3, 0.3, -0.3], 0.06, pause_s=1.0)
LIMIT = "speed.max_stroke_speed_mps"


def halves(samples, at_s):
    cut = int(np.searchsorted(samples.t_s, at_s))
    return samples[:cut], samples[cut:]


def test_a_new_limit_holds_for_what_comes_and_not_for_what_was():
    tracker = Tracker(setup())
    middle_s = float(ROLL.samples.t_s[-1]) / 2
    first, second = halves(ROLL.samples, middle_s)
    events = tracker.feed(first)
    told = tracker.set_limit(0.04)
    after = tracker.feed(second)
    assert told == [LimitSet(pytest.approx(middle_s, abs=0.02), 0.04)]
    assert {event.limit_mps for event in only(events, LiveSpeed)} == {0.075}
    assert {event.limit_mps for event in only(after, LiveSpeed)} == {0.04}
    assert any(event.too_fast for event in only(after, LiveSpeed))
    ended = only([*after, *tracker.finish()], SessionEnded)[0]
    assert [stroke.too_fast for stroke in ended.strokes] == [False, False, True, True]
    assert ended.summary.limit_mps == 0.04
    whole = run(ROLL.samples)
    lenient = only(whole, SessionEnded)[0].summary.time_too_fast_s
    assert 0 < ended.summary.time_too_fast_s - lenient < 10
    assert "set by a command" in ended.strokes[-1].reasons[0]


def test_prompt_strokes_are_judged_by_the_limit_in_force_when_they_ended():
    tracker = Tracker(setup())
    first, second = halves(ROLL.samples, float(ROLL.samples.t_s[-1]) / 2)
    events = tracker.feed(first)
    tracker.set_limit(0.04)
    events += tracker.feed(second) + tracker.finish()
    assert [event.judged.too_fast for event in only(events, StrokeEnded)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("limit_mps", [0.0, -0.05, float("nan"), float("inf")])
def test_a_limit_that_no_stroke_could_be_judged_by_is_refused(limit_mps):
    tracker = Tracker(setup())
    with pytest.raises(UsageError, match="limit"):
        tracker.set_limit(limit_mps)
    assert tracker.setup.protocol == PROTOCOL


@pytest.mark.parametrize("t_s", [float("nan"), float("inf")])
def test_a_time_that_is_none_ends_no_session(t_s):
    tracker = Tracker(setup())
    tracker.feed(ROLL.samples)
    with pytest.raises(InputError, match="time"):
        tracker.advance(t_s)
    assert tracker.in_session


def test_a_limit_outlives_the_session():
    tracker = Tracker(setup())
    tracker.set_limit(0.2)
    tracker.feed(ROLL.samples)
    assert only(tracker.finish(), SessionEnded)[0].summary.limit_mps == 0.2
    (started,) = only(tracker.start(), SessionStarted)
    assert started.limit_mps == 0.2


@pytest.mark.parametrize("limit_mps", [0.01, 0.02, 0.06, 0.5])
def test_a_protocol_with_another_limit_keeps_its_order_and_says_whose_it_is(limit_mps):
    changed = PROTOCOL.with_limit(limit_mps)
    assert changed.target_min_mps < changed.target_max_mps <= changed.max_stroke_speed_mps
    assert changed.max_stroke_speed_mps == limit_mps
    assert changed.evidence_for(LIMIT).source == "set by a command"
    assert PROTOCOL.evidence_for(LIMIT).source != "set by a command"


def test_a_session_begun_by_hand_in_the_middle_of_a_beat_misses_no_reading():
    samples = to_and_fro([0.3], 0.1, lead_s=6.0).samples
    tracker = Tracker(setup())
    first, second = halves(samples, 3.27)
    assert only(tracker.feed(first), SessionStarted) == []
    (started,) = only(tracker.start(), SessionStarted)
    assert started.t_s == pytest.approx(3.27, abs=0.011)
    events = tracker.feed(second)
    assert only(events, SessionStarted) == []
    summary = only(tracker.finish(), SessionEnded)[0].summary
    assert summary.strokes == 1
    assert summary.samples == pytest.approx(len(second) + 200, abs=60)  # two seconds before it


def test_a_session_begun_by_hand_is_kept_even_if_nothing_is_rolled():
    still = to_and_fro([], lead_s=4.0).samples
    tracker = Tracker(setup())
    tracker.feed(still)
    tracker.start()
    assert only(tracker.finish(), SessionEnded)[0].summary.strokes == 0


METRE = to_and_fro([1.0], 0.15, lead_s=4.0, radius_m=0.07)


def packets(samples, size=10):
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def outcome(roll, samples):
    for number, packet in enumerate(packets(samples)):
        if found := roll.take(packet):
            return found, packet.t_s[-1], number
    return None, None, None


def test_a_live_roll_over_a_metre_gives_the_radius_once_the_roller_rests():
    found, said_s, _ = outcome(LiveRoll(setup(), 1.0), METRE.samples)
    assert found.radius_m == pytest.approx(0.07, rel=0.005)
    assert found.assumed_m == 0.075
    rolled_until_s = METRE.samples.t_s[-1] - 4.6
    assert 2.0 < said_s - rolled_until_s < 3.5


def test_putting_the_roller_in_place_first_does_not_count():
    whole = to_and_fro([0.15, 1.0], 0.15, pause_s=5.0, lead_s=4.0, radius_m=0.07)
    found, _, _ = outcome(LiveRoll(setup(), 1.0), whole.samples)
    assert found.radius_m == pytest.approx(0.07, rel=0.005)


def test_a_roll_of_quite_another_length_is_not_believed():
    with pytest.raises(CalibrationError, match="far from the 75 mm"):
        outcome(LiveRoll(setup(), 4.0), METRE.samples)


def test_a_roll_that_never_comes_is_given_up():
    roll = LiveRoll(setup(), 1.0)
    assert outcome(roll, to_and_fro([], lead_s=5.0).samples)[0] is None
    with pytest.raises(CalibrationError, match="no roll"):
        roll.wait(PATIENCE_S + 1.0)


def test_a_new_radius_scales_the_next_session():
    lengths = []
    for radius_m in (0.075, 0.15):
        tracker = Tracker(setup())
        tracker.set_radius(radius_m)
        tracker.feed(to_and_fro([0.3, -0.3], 0.1, radius_m=radius_m).samples)
        lengths.append(only(tracker.finish(), SessionEnded)[0].summary.distance_m)
    assert lengths == pytest.approx([0.6, 0.6], rel=0.02)
