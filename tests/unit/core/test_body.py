"""A phone worn on the body against the simulator's truth: simulated, not real."""

import numpy as np
import pytest

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack import load_protocol
from rolltrack.core.events import Alert, FinalSpeed, LiveSpeed, SessionEnded, StrokeEnded
from rolltrack.core.motion.axle import AxleFinder
from rolltrack.core.motion.body.attitude import level, turned
from rolltrack.core.motion.body.estimator import MARGIN_S, BodyEstimator
from rolltrack.core.motion.body.track import track
from rolltrack.core.sample import ImuSamples
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker

PROTOCOL = load_protocol("slow-release")
G = 9.80665


def worn(seed=1, sensors="both"):
    found = record(load_scenario("phone-on-body"), seed)
    trace = found.trace
    gyro = trace.gyro_radps if sensors == "both" else None
    return ImuSamples(trace.t_s, trace.accel_mps2, gyro), found


def followed(samples, *, live=False, step=500, **options):
    setup = {"roller": "r", "athlete": "a", "protocol": PROTOCOL, "radius_m": 0.075}
    setup |= {"shape": "body", "idle_s": None, "start_at_once": True, "keep_series": True}
    tracker = Tracker(Setup(**setup | {"live": live} | options))
    events = []
    for start in range(0, len(samples), step):
        events += tracker.feed(samples[start : start + step])
    return events + tracker.finish()


def final_strokes(events):
    (ended,) = (event for event in events if isinstance(event, SessionEnded))
    return [judged.stroke for judged in ended.strokes]


def covering(true, strokes):
    def overlap_s(stroke):
        return min(stroke.end_s, true.end_s) - max(stroke.start_s, true.start_s)

    best = max(strokes, key=overlap_s, default=None)
    return best if best and overlap_s(best) > 0.5 * (true.end_s - true.start_s) else None


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_fast_strokes_have_a_speed_and_slow_ones_a_time(seed):
    samples, found = worn(seed)
    strokes = final_strokes(followed(samples))
    assert abs(len(strokes) - len(found.strokes)) <= 3
    for true in found.strokes:
        stroke = covering(true, strokes)
        if true.mean_speed_mps > 0.12:
            assert stroke.mean_speed_mps == pytest.approx(true.mean_speed_mps, rel=0.2)
        elif true.mean_speed_mps < 0.045:
            assert stroke is None or stroke.mean_speed_mps is None
    assert all(stroke.length_m is None or stroke.mean_speed_mps > 0.06 for stroke in strokes)


def test_the_tissues_speed_is_half_of_the_bodys():
    samples, found = worn(104)
    motions = [event.block for event in followed(samples) if isinstance(event, FinalSpeed)]
    speed = np.concatenate([motion.speed_mps for motion in motions])
    known = np.isfinite(speed)
    assert known.any()
    true, said = found.trace.true_speed_mps[known], speed[known]
    assert abs(said @ true) / (true @ true) == pytest.approx(1.0, abs=0.1)
    assert np.sqrt(np.mean((np.abs(said) - np.abs(true)) ** 2)) < 0.02


def test_without_a_gyroscope_no_speed_is_claimed_that_is_not_there():
    samples, found = worn(105, "accel")
    for stroke in final_strokes(followed(samples)):
        true = covering(stroke, found.strokes)
        if stroke.mean_speed_mps is not None:
            assert true is not None
            assert stroke.mean_speed_mps == pytest.approx(true.mean_speed_mps, rel=0.3)


def test_how_the_phone_sits_does_not_matter():
    samples, _ = worn(106)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    other = ImuSamples(samples.t_s, samples.accel_mps2 @ turn.T, samples.gyro_radps @ turn.T)
    one, two = final_strokes(followed(samples)), final_strokes(followed(other))
    assert [s.start_s for s in two] == pytest.approx([s.start_s for s in one], abs=0.06)
    known = [(a.mean_speed_mps, b.mean_speed_mps) for a, b in zip(one, two, strict=True)]
    assert all((a is None) == (b is None) for a, b in known)
    for a, b in known:
        assert a == b or a == pytest.approx(b, rel=0.02)


def test_it_does_not_matter_how_the_readings_are_cut():
    samples, _ = worn(107)
    whole, pieces = final_strokes(followed(samples, step=10**6)), final_strokes(followed(samples))
    assert whole == pieces


def test_live_says_unknown_raises_no_alarm_and_tells_strokes_some_seconds_late():
    samples, _ = worn(108)
    events = followed(samples, live=True, step=20)
    live = [event for event in events if isinstance(event, LiveSpeed)]
    assert live
    assert all(event.speed_mps is None and event.state == "unknown" for event in live)
    assert not any(isinstance(event, Alert) and event.kind == "invalid_motion" for event in events)
    said_s, late_s = 0.0, []
    for event in events:
        if isinstance(event, LiveSpeed):
            said_s = event.said_s
        elif isinstance(event, StrokeEnded):
            late_s.append(said_s - event.judged.stroke.end_s)
    assert late_s
    assert min(late_s) >= 0
    assert max(late_s) < MARGIN_S + 4


def test_a_stroke_without_a_speed_is_not_called_too_fast():
    samples, _ = worn(109)
    (ended,) = (event for event in followed(samples) if isinstance(event, SessionEnded))
    slow = [judged for judged in ended.strokes if judged.stroke.mean_speed_mps is None]
    assert slow
    for judged in slow:
        (verdict,) = judged.verdicts
        assert (verdict.breached, verdict.value_mps, verdict.probability) == (False, None, None)


def test_a_phone_that_lies_still_makes_no_stroke():
    n, dice = 6000, np.random.default_rng(1)
    force = np.array([1.0, -2.0, 9.5]) + dice.normal(0, 0.01, (n, 3))
    rate = np.array([0.01, -0.02, 0.015]) + dice.normal(0, 0.001, (n, 3))
    samples = ImuSamples(np.arange(n) / 100, force, rate)
    (ended,) = (event for event in followed(samples) if isinstance(event, SessionEnded))
    assert ended.strokes == ()
    assert ended.summary.unknown_s < 2


@pytest.mark.parametrize("seed", range(4))
def test_walking_about_makes_no_speed(seed):
    dice, t_s = np.random.default_rng(seed), np.arange(0, 60, 0.01)
    step = 2 * np.pi * 1.9 * t_s
    force = np.column_stack([1.2 * np.sin(step / 2), 1.5 * np.sin(step), G + 3 * np.cos(step)])
    force += dice.normal(0, 0.3, force.shape)
    rate = np.column_stack([0.2 * np.sin(step), 0.3 * np.sin(step / 2), 0.5 * np.sin(step / 9)])
    motion = BodyEstimator().estimate(
        ImuSamples(t_s, force, rate), AxleFinder(), slice(0, len(t_s))
    )
    assert not motion.valid.any()


@pytest.mark.parametrize("kind", ["noise", "zeros", "huge", "gyro gone mad"])
def test_mad_readings_make_nothing_up(kind):
    dice, n = np.random.default_rng(5), 2000
    force = {
        "noise": dice.normal(0, 20, (n, 3)),
        "zeros": np.zeros((n, 3)),
        "huge": np.full((n, 3), 1e9),
    }.get(kind, np.tile([0.0, 0.0, G], (n, 1)))
    rate = dice.normal(0, 30 if kind == "gyro gone mad" else 0.1, (n, 3))
    samples = ImuSamples(np.arange(n) / 100, force, rate)
    motion = BodyEstimator().estimate(samples, AxleFinder(), slice(0, n))
    assert len(motion) == n
    assert not motion.valid.any()


def test_a_clipped_push_spoils_the_seconds_around_it():
    samples, _ = worn(110)
    clipped = np.zeros(len(samples), dtype=bool)
    clipped[4000] = True
    spoilt = ImuSamples(samples.t_s, samples.accel_mps2, samples.gyro_radps, clipped)
    motion = BodyEstimator().estimate(spoilt, AxleFinder(), slice(0, len(samples)))
    assert motion.nothing_known[3700:4300].all()


def test_gravitys_drift_tells_the_gyroscopes_bias():
    samples, _ = worn(111)
    wrong = np.array([0.05, -0.04, 0.03])
    biased = level(samples.t_s, samples.accel_mps2, samples.gyro_radps + wrong, None)
    plain = level(samples.t_s, samples.accel_mps2, samples.gyro_radps, None)
    assert np.abs(biased.accel_mps2 - plain.accel_mps2).max() < 0.05


def test_orientation_is_the_integral_of_the_rate():
    t_s = np.linspace(0, 2, 401)
    rate = np.tile([0.0, 0.0, np.pi / 4], (len(t_s), 1))
    assert turned(t_s, rate)[-1] == pytest.approx(
        np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), abs=1e-9
    )


def test_a_movement_is_found_with_the_error_it_claims():
    dice, t_s = np.random.default_rng(7), np.arange(0, 60, 0.02)
    place = 0.25 * np.sin(2 * np.pi * 0.3 * t_s)
    wander = np.cumsum(dice.normal(0, 0.004 * np.sqrt(0.02), (len(t_s), 2)), axis=0)
    accel = np.column_stack([-((2 * np.pi * 0.3) ** 2) * place, 0 * place]) + wander
    moves = track(t_s, accel + dice.normal(0, 0.02, accel.shape), gyroscope=True)
    turns = np.arange(50, 1150, 33)
    moved = np.diff(moves.place_m[turns, 0])
    true = np.diff(np.interp(moves.t_s[turns], t_s, place))
    sd = moves.difference_sd_m(turns[:-1], turns[1:])
    assert np.sqrt(np.mean((moved - true) ** 2)) < 0.05
    assert np.mean(((moved - true) / sd) ** 2) < 2


def test_a_roller_that_is_taken_for_a_body_has_no_strokes_of_metres():
    trace = record(load_scenario("typical"), 1).trace
    strokes = final_strokes(followed(ImuSamples(trace.t_s, trace.accel_mps2)))
    assert all(stroke.length_m is None or stroke.length_m < 1.0 for stroke in strokes)
