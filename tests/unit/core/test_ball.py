"""A free ball against the simulator's truth."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack import load_protocol
from rolltrack.core.events import LiveSpeed, SessionEnded
from rolltrack.core.motion.axle import AxleFinder
from rolltrack.core.motion.ball.estimator import BallEstimator
from rolltrack.core.sample import ImuSamples
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker

RADIUS_M = 0.06


def ball(seed=0, sensors="accel", name="ball"):
    trace = record(load_scenario(name), seed).trace
    gyro = trace.gyro_radps if sensors == "both" else None
    return ImuSamples(trace.t_s, trace.accel_mps2, gyro), trace.true_speed_mps


def estimate(samples, radius_m=RADIUS_M):
    return BallEstimator(radius_m, 6).estimate(samples, AxleFinder(), None)


@pytest.mark.parametrize(("sensors", "most_mps"), [("accel", 0.004), ("both", 0.0012)])
def test_it_is_as_near_to_the_truth_as_promised(sensors, most_mps):
    samples, true_mps = ball(1, sensors)
    motion = estimate(samples)
    error = np.abs(motion.speed_mps) - true_mps
    assert motion.valid.mean() > 0.99
    assert np.sqrt(np.nanmean(error**2)) < most_mps
    assert np.nanmean(np.abs(error) < 2 * motion.speed_sd_mps) > 0.9


@pytest.mark.parametrize("most_radps", [1.0, 1.5])
def test_what_was_clipped_is_not_measured_with(most_radps):
    samples, true_mps = ball(1, "both")
    clipped = (np.abs(samples.gyro_radps) > most_radps).any(axis=1)
    assert 0.1 < clipped.mean() < 0.6
    limited = np.clip(samples.gyro_radps, -most_radps, most_radps)
    motion = estimate(replace(samples, gyro_radps=limited, clipped=clipped))
    error = np.abs(motion.speed_mps) - true_mps
    assert not motion.valid[clipped].any()
    assert motion.valid[~clipped].mean() > 0.8
    assert np.sqrt(np.nanmean(error**2)) < 0.004
    assert np.nanmean((error / motion.speed_sd_mps) ** 2) < 4


def test_how_the_sensor_sits_does_not_matter():
    samples, _ = ball(2)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    turned = ImuSamples(samples.t_s, samples.accel_mps2 @ turn.T, None)
    assert np.abs(estimate(turned).speed_mps) == pytest.approx(
        np.abs(estimate(samples).speed_mps), abs=1e-4
    )


def test_a_ball_twice_as_large_seen_slower_by_root_two_rolls_faster_by_root_two():
    samples, _ = ball(4)
    slower = ImuSamples(samples.t_s * np.sqrt(2), samples.accel_mps2, None)
    large, small = estimate(slower, 2 * RADIUS_M), estimate(samples)
    expected = np.sqrt(2) * np.abs(small.speed_mps)
    off = np.sqrt(np.nanmean((np.abs(large.speed_mps) - expected) ** 2))
    # Hands do not scale: the prior on their liveliness stays, so near, not equal.
    assert off < 0.003


def tracked(samples):
    """Its events, and the speed said live at every reading, NaN where unknown or never said."""
    setup = Setup(
        "b", "a", load_protocol("slow-release"), RADIUS_M, "ball", idle_s=None, start_at_once=True
    )
    tracker, events = Tracker(setup), []
    for start in range(0, len(samples), 10):
        events += tracker.feed(samples[start : start + 10])
    events += tracker.finish()
    said = np.full(len(samples), np.nan)
    for event in events:
        if isinstance(event, LiveSpeed):
            said[np.searchsorted(samples.t_s, event.block.t_s)] = event.block.speed_mps
    return events, said


@pytest.mark.parametrize("sensors", ["accel", "both"])
def test_live_is_within_twice_the_final_bound_and_strokes_turn_back(sensors):
    samples, true_mps = ball(5, sensors)
    events, said = tracked(samples)
    for event in events:
        if isinstance(event, LiveSpeed):
            assert event.said_s - event.t_s <= 0.3
    most_mps = {"accel": 0.008, "both": 0.0024}[sensors]
    assert np.sqrt(np.nanmean((np.abs(said) - true_mps) ** 2)) < most_mps
    (ended,) = (event for event in events if isinstance(event, SessionEnded))
    ways = [judged.stroke.direction for judged in ended.strokes]
    assert len(ways) > 5
    assert {-1, 1} == set(ways)


def windows(samples, *, to=600):
    """A second at a time, every 0.06 s."""
    return [samples[end - 100 : end] for end in range(100, to, 6)]


@pytest.mark.parametrize("sensors", ["accel", "both"])
def test_going_on_from_the_answer_before_is_as_good_as_looking_afresh(sensors):
    samples, true_mps = ball(8, sensors)
    estimator, before, errors = BallEstimator(RADIUS_M, 4), None, []
    middle = slice(40, 70)
    for window, true in zip(windows(samples), windows(true_mps), strict=True):
        went_on, before = estimator.follow(window, AxleFinder(), before, middle)
        afresh, _ = estimator.follow(window, AxleFinder(), None, middle)
        assert before is not None
        errors.append([np.abs(m.speed_mps) - true[middle] for m in (went_on, afresh)])
    went_on, afresh = np.sqrt(np.nanmean(np.square(errors), axis=(0, 2)))
    assert went_on < 1.05 * afresh


@pytest.mark.parametrize("sensors", ["accel", "both"])
@pytest.mark.parametrize("way", [[-1, 1, -1], [1, -1, -1], [-1, -1, 1]])
def test_a_ball_put_down_another_way_is_looked_at_afresh(sensors, way):
    samples, _ = ball(8, sensors)
    gyro = samples.gyro_radps
    turned = ImuSamples(samples.t_s, samples.accel_mps2 * way, None if gyro is None else gyro * way)
    estimator, before = BallEstimator(RADIUS_M, 4), None
    for window in windows(samples, to=400):
        _, before = estimator.follow(window, AxleFinder(), before, slice(None))
    assert before is not None
    window = turned[300:400]
    again, _ = estimator.follow(window, AxleFinder(), before, slice(None))
    afresh, _ = estimator.follow(window, AxleFinder(), None, slice(None))
    assert again.valid.all()
    np.testing.assert_array_equal(again.speed_mps, afresh.speed_mps)


def test_an_answer_is_gone_on_from_only_where_it_reaches_and_with_the_same_sensors():
    samples, _ = ball(8, "both")
    estimator, finder, everywhere = BallEstimator(RADIUS_M, 4), AxleFinder(), slice(None)
    _, before = estimator.follow(samples[300:400], finder, None, everywhere)
    assert before is not None
    without = ImuSamples(samples.t_s, samples.accel_mps2, None)
    for window in (samples[100:200], samples[380:480], samples[500:600], without[306:406]):
        went_on, _ = estimator.follow(window, finder, before, everywhere)
        afresh, _ = estimator.follow(window, finder, None, everywhere)
        np.testing.assert_array_equal(went_on.speed_mps, afresh.speed_mps)
    went_on, _ = estimator.follow(samples[306:406], finder, before, everywhere)
    afresh, _ = estimator.follow(samples[306:406], finder, None, everywhere)
    assert np.any(went_on.speed_mps != afresh.speed_mps)


def test_a_ball_lost_for_being_too_fast_is_not_found_again_at_once():
    samples, true_mps = ball(9002, name="ball-fast")
    part = samples.t_s < 12.0
    _, said = tracked(ImuSamples(samples.t_s[part], samples.accel_mps2[part], None))
    assert np.isfinite(said).mean() > 0.6
    assert np.nanmax(np.abs(np.abs(said) - true_mps[part])) < 0.1


def test_free_fall_and_nonsense_are_unknown():
    samples, _ = ball(6)
    noise = np.random.default_rng(7).normal(0, 30, samples.accel_mps2.shape)
    for force in (0.02 * samples.accel_mps2, samples.accel_mps2 / 9.81, noise):
        assert not estimate(ImuSamples(samples.t_s, force, None)).valid.any()


def test_a_ball_too_fast_to_be_told_from_another_motion_is_unknown():
    samples, true_mps = ball(7000, name="ball-fast")
    motion = estimate(samples)
    fast = np.nan_to_num(true_mps) > 0.65
    assert fast.any()
    assert not motion.valid[fast].any()
    assert motion.valid.mean() > 0.9
    assert np.nanmax(np.abs(np.abs(motion.speed_mps) - true_mps)) < 0.1
