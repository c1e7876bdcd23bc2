"""The specification of the core, as properties that hold for any rolling."""

from __future__ import annotations

import itertools
import math
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.rolling import only, plain, run, setup, to_and_fro

from rolltrack.core.events import FinalSpeed, LiveSpeed, SessionDiscarded, SessionEnded
from rolltrack.core.motion.motion import Motion
from rolltrack.core.sample import ImuSamples
from rolltrack.core.tracker import Tracker

pytestmark = pytest.mark.filterwarnings("error")
FEW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROLL = to_and_fro([0.2, -0.2, 0.15], 0.1)
SIZE = len(ROLL.samples)


def ended(events) -> SessionEnded:
    return only(events, SessionEnded)[-1]


def lengths(events) -> list[float]:
    return [j.stroke.direction * j.stroke.length_m for j in ended(events).strokes]


@FEW
@given(st.lists(st.integers(1, SIZE - 1), max_size=60))
def test_cut_anywhere_gives_equal_events(cuts):
    assert plain(run(ROLL.samples, cuts)) == plain(run(ROLL.samples))


@FEW
@given(st.integers(1, SIZE - 1), st.sampled_from(["accel", "gyro", "both"]))
def test_saved_and_restored_anywhere_it_goes_on_as_if_nothing_had_happened(cut, sensors):
    tracker = Tracker(setup(sensors=sensors))
    events = tracker.feed(ROLL.samples[:cut])
    restored = Tracker.restore(setup(sensors=sensors), tracker.state)
    tracker.feed(ROLL.samples[cut:])
    events += restored.feed(ROLL.samples[cut:]) + restored.finish()
    assert plain(events) == plain(run(ROLL.samples, sensors=sensors))


@FEW
@given(st.floats(0, 1e5))
def test_shifting_time_shifts_strokes(shift_s):
    moved = ImuSamples(ROLL.samples.t_s + shift_s, ROLL.samples.accel_mps2)
    before, after = ended(run(ROLL.samples)), ended(run(moved))
    for was, now in zip(before.strokes, after.strokes, strict=True):
        assert now.stroke.start_s == pytest.approx(was.stroke.start_s + shift_s, abs=0.011)
        assert now.stroke.length_m == pytest.approx(was.stroke.length_m, rel=2e-3)


@pytest.mark.parametrize("sensors", ["accel", "gyro"])
def test_mirrored_motion_gives_mirrored_strokes(sensors):
    there = lengths(run(to_and_fro([0.2, -0.15, 0.25]).samples, sensors=sensors))
    back = lengths(run(to_and_fro([-0.2, 0.15, -0.25]).samples, sensors=sensors))
    assert there == pytest.approx([-one for one in back], rel=0.03)


@FEW
@given(st.floats(-math.pi, math.pi), st.sampled_from(["accel", "gyro"]))
def test_how_the_sensor_is_turned_does_not_matter(phase_rad, sensors):
    roll = to_and_fro([0.2, -0.2, 0.2, -0.2], phase_rad=phase_rad, seed=3)
    assert [abs(one) for one in lengths(run(roll.samples, sensors=sensors))] == pytest.approx(
        [0.2] * 4, rel=0.05
    )


@FEW
@given(st.integers(0, 2**31), st.floats(5, 40))
def test_a_still_roller_makes_no_stroke(seed, duration_s):
    roll = to_and_fro([], lead_s=duration_s / 2, seed=seed)
    events = run(roll.samples, start_at_once=True)
    assert ended(events).strokes == ()
    assert not any(event.too_fast for event in only(events, LiveSpeed))
    assert only(run(roll.samples), SessionEnded) == []


@FEW
@given(st.integers(150, SIZE - 150), st.integers(30, 300))
@example(150, 270)
def test_a_gap_is_never_bridged_by_a_stroke(first, missing):
    keep = np.ones(SIZE, dtype=bool)
    keep[first : first + missing] = False
    samples = ImuSamples(ROLL.samples.t_s[keep], ROLL.samples.accel_mps2[keep])
    events = run(samples, start_at_once=True)
    gap_start, gap_end = (
        ROLL.samples.t_s[first - 1],
        ROLL.samples.t_s[min(first + missing, SIZE - 1)],
    )
    for judged in ended(events).strokes:
        assert judged.stroke.end_s <= gap_start or judged.stroke.start_s >= gap_end
    if first + missing < SIZE:
        assert ended(events).summary.gaps == 1
        assert ended(events).summary.unknown_s >= gap_end - gap_start - 0.02


@FEW
@given(st.integers(0, 10_000), st.sampled_from(["accel", "gyro", "both"]))
def test_live_is_at_most_three_tenths_of_a_second_late_and_in_order(seed, sensors):
    roll = to_and_fro([0.2, -0.2], 0.1, seed=seed)
    said = only(run(roll.samples, sensors=sensors), LiveSpeed)
    instants = np.concatenate([event.block.t_s for event in said])
    assert (np.diff(instants) > 0).all()
    assert all(event.said_s - event.block.t_s[0] <= 0.3 for event in said)


def test_every_reading_gets_one_final_speed():
    events = run(ROLL.samples, [500, 900], start_at_once=True, keep_series=True)
    final = np.concatenate([event.block.t_s for event in only(events, FinalSpeed)])
    np.testing.assert_array_equal(final, ROLL.samples.t_s)


@FEW
@given(st.integers(0, 1000), st.floats(0.03, 0.2))
def test_strokes_are_ordered_disjoint_and_as_long_as_the_truth(seed, speed_mps):
    true = [0.3, -0.2, 0.25, -0.35]
    strokes = [j.stroke for j in ended(run(to_and_fro(true, speed_mps, seed=seed).samples)).strokes]
    assert [s.direction * s.length_m for s in strokes] == pytest.approx(
        [strokes[0].direction * one for one in true], rel=0.05
    )
    assert [s.n for s in strokes] == [1, 2, 3, 4]
    assert all(a.end_s < b.start_s for a, b in itertools.pairwise(strokes))


@FEW
@given(st.floats(0.03, 0.065) | st.floats(0.085, 0.25))
def test_a_clean_stroke_is_flagged_above_the_limit_and_only_there(speed_mps):
    strokes = ended(run(to_and_fro([0.3, -0.3, 0.3], speed_mps).samples)).strokes
    assert [j.too_fast for j in strokes] == [speed_mps > 0.075] * 3
    assert all(bool(j.reasons) == j.too_fast for j in strokes)


def test_prompt_and_final_strokes_agree():
    events = run(ROLL.samples)
    prompt = [e.judged.stroke for e in events if type(e).__name__ == "StrokeEnded"]
    final = [j.stroke for j in ended(events).strokes]
    assert [p.length_m for p in prompt] == pytest.approx([f.length_m for f in final], rel=0.05)


def test_motion_without_a_stroke_is_not_a_session():
    events = run(to_and_fro([0.02], 0.05).samples)
    assert only(events, SessionEnded) == []
    assert len(only(events, SessionDiscarded)) == 1


@pytest.mark.parametrize("sensors", ["accel", "gyro", "both"])
def test_events_hold_plain_python_values(sensors):
    """A numpy scalar in an event would fail far away, in JSON or in the database."""

    def check(value: object) -> None:
        assert type(value).__module__ != "numpy", value
        if isinstance(value, tuple):
            for item in value:
                check(item)
        elif is_dataclass(value) and not isinstance(value, Motion):
            for field in fields(value):
                check(getattr(value, field.name))

    for event in run(ROLL.samples, sensors=sensors, keep_series=True):
        check(event)
