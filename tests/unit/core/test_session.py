import re
import uuid

import numpy as np
import pytest
from support.rolling import PROTOCOL, only, run, setup, to_and_fro

from rolltrack.core.events import (
    Alert,
    SessionDiscarded,
    SessionEnded,
    SessionStarted,
    StrokeEnded,
)
from rolltrack.core.motion.motion import Motion
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.core.session.identity import session_id
from rolltrack.core.session.ledger import Ledger
from rolltrack.core.tracker import Tracker
from rolltrack.errors import InputError

ROLL = to_and_fro([0.3, -0.3, 0.3], 0.12)


def summary(events):
    return only(events, SessionEnded)[-1].summary


def test_a_session_id_is_a_version_seven_uuid_of_its_start():
    one = uuid.UUID(session_id(1763900000.123, b"salt", "rt-1"))
    assert one.version == 7
    assert one.variant == uuid.RFC_4122
    assert one.int >> 80 == 1763900000123
    assert session_id(1763900000.123, b"salt", "rt-1") == str(one)
    assert session_id(1763900000.123, b"other", "rt-1") != str(one)
    assert session_id(1763900000.123, b"salt", "rt-2") != str(one)


def test_motion_opens_a_session_and_stillness_ends_it():
    samples = to_and_fro([0.3, -0.3], 0.1, lead_s=8).samples
    events = run(samples, idle_s=5)
    started, ended = only(events, SessionStarted)[0], only(events, SessionEnded)[0]
    assert 6.0 < started.t_s < 8.5
    assert ended.summary.end == "idle"
    assert ended.summary.strokes == 2
    assert ended.t_s < samples.t_s[-1]
    assert ended.summary.ended_unix_s < 16


def test_a_sensor_that_falls_silent_ends_its_session_as_lost():
    tracker = Tracker(setup(idle_s=60))
    tracker.feed(ROLL.samples)
    assert tracker.advance(30.0) == []
    (ended,) = only(tracker.advance(100.0), SessionEnded)
    assert ended.summary.end == "sensor_lost"
    assert ended.summary.strokes == 3


@pytest.mark.parametrize("shape", ["roller", "ball", "body"])
def test_the_summary_names_the_estimator_of_its_figures(shape):
    named = summary(run(ROLL.samples[:300], shape=shape, start_at_once=True)).algorithm
    assert re.fullmatch(rf"{shape}-[a-z-]+/[1-9][0-9]*", named)


def test_the_summary_adds_up():
    s = summary(run(ROLL.samples))
    assert s.strokes == 3
    assert s.too_fast_strokes == 3
    assert s.distance_m == pytest.approx(0.9, rel=0.03)
    assert s.mean_speed_mps == pytest.approx(s.distance_m / s.rolling_s)
    assert s.rolling_s == pytest.approx(3 * 0.3 / 0.12, rel=0.1)
    assert s.peak_speed_mps == pytest.approx(0.12 * 15 / 8, rel=0.1)
    assert s.mean_speed_mps < s.p95_speed_mps < s.peak_speed_mps
    assert 0 < s.time_too_fast_s < s.rolling_s
    assert s.gaps == s.samples_lost == 0
    assert s.unknown_s == 0.0


def test_lost_readings_are_counted_and_a_short_hole_is_no_gap():
    tracker = Tracker(setup())
    half = len(ROLL.samples) // 2
    tracker.feed(ROLL.samples[:half])
    tracker.feed(SignalGap(1.0, 1.1, lost=10))
    tracker.feed(ROLL.samples[half + 10 :])
    s = summary(tracker.finish())
    assert (s.samples_lost, s.gaps, s.strokes) == (10, 0, 3)


def test_too_fast_is_raised_and_cleared_in_pairs():
    alerts = [a for a in only(run(ROLL.samples), Alert) if a.kind == "too_fast"]
    assert [a.phase for a in alerts] == ["raised", "cleared"] * (len(alerts) // 2)
    assert len(alerts) >= 2
    assert alerts[0].alert_id == alerts[1].alert_id
    assert alerts[0].value > alerts[0].limit == PROTOCOL.max_stroke_speed_mps


def test_prompt_strokes_come_while_the_session_runs():
    tracker = Tracker(setup())
    events = tracker.feed(ROLL.samples)
    assert len(only(events, StrokeEnded)) >= 2
    assert only(events, SessionEnded) == []


def test_readings_out_of_order_are_refused_and_the_tracker_goes_on():
    tracker = Tracker(setup())
    tracker.feed(ROLL.samples[:300])
    with pytest.raises(InputError, match="come after"):
        tracker.feed(ROLL.samples[200:400])
    tracker.feed(ROLL.samples[300:])
    assert summary(tracker.finish()).strokes == 3


@pytest.mark.parametrize(
    ("sensors", "samples"),
    [
        ("gyro", ImuSamples(ROLL.samples.t_s, ROLL.samples.accel_mps2)),
        ("accel", ImuSamples(ROLL.samples.t_s, None, ROLL.samples.gyro_radps)),
        ("auto", ImuSamples(ROLL.samples.t_s)),
    ],
)
def test_a_wanted_sensor_that_is_not_there_is_named(sensors, samples):
    with pytest.raises(InputError):
        Tracker(setup(sensors=sensors)).feed(samples)


def test_missing_readings_are_a_gap_once_there_are_many():
    accel = ROLL.samples.accel_mps2.copy()
    accel[400:450] = np.nan
    s = summary(run(ImuSamples(ROLL.samples.t_s, accel)))
    assert s.gaps == 1


def test_a_session_that_was_asked_for_is_kept_without_strokes():
    tracker = Tracker(setup())
    still = to_and_fro([], lead_s=2).samples
    tracker.feed(still)
    (started,) = tracker.start()
    events = tracker.finish()
    assert only(events, SessionEnded)[0].summary.session_id == started.session_id
    assert only(events, SessionDiscarded) == []


def test_after_finish_a_tracker_opens_a_new_session():
    tracker = Tracker(setup())
    first = summary(tracker.feed(ROLL.samples) + tracker.finish())
    later = ImuSamples(ROLL.samples.t_s + 60, ROLL.samples.accel_mps2)
    second = summary(tracker.feed(later) + tracker.finish())
    assert first.session_id != second.session_id
    assert first.strokes == second.strokes == 3


def still_and_rolling(*parts: tuple[float, float]) -> Motion:
    speed = np.concatenate([np.full(round(s * 100), v) for s, v in parts])
    t_s = np.arange(len(speed)) / 100
    return Motion(t_s, speed, speed * 0, np.ones(len(speed), dtype=bool))


@pytest.mark.parametrize(
    ("parts", "hold_s"),
    [
        (((2, 0.05), (5, 0.0), (2, 0.05)), 5.0),
        (((2, 0.05), (2, 0.0), (2, 0.05)), 0.0),
        (((9, 0.0), (2, 0.05)), 0.0),
        (((2, 0.05), (9, 0.0)), 0.0),
    ],
    ids=["between strokes", "only a pause", "before the first", "after the last"],
)
def test_holds_count_between_motion_and_from_three_seconds(parts, hold_s):
    whole = still_and_rolling(*parts)
    for step in (len(whole), 150):
        ledger = Ledger()
        for i in range(0, len(whole), step):
            ledger.feed(whole[i : i + step], PROTOCOL)
        assert ledger.hold_s == pytest.approx(hold_s, abs=0.6)


def test_a_session_whose_only_known_rolling_is_its_first_reading_has_no_mean():
    t_s = np.arange(0, 3, 0.01)
    turn = np.zeros((300, 3))
    turn[:, 2], turn[0, 2] = 45.0, 5.0  # beyond what any hand does, after the first reading
    ended = summary(run(ImuSamples(t_s, None, turn), sensors="gyro", axle=(0, 0, 1),
                        start_at_once=True))  # fmt: skip
    assert ended.mean_speed_mps is None
