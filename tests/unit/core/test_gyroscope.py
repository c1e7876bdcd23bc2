"""A gyroscope alone: what it cannot know of itself, and what it must not take for rolling."""

from dataclasses import replace

import numpy as np
import pytest
from support.rolling import setup, to_and_fro

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack.core.events import LiveSpeed, SessionEnded, StrokeEnded
from rolltrack.core.motion.noise import white_radps
from rolltrack.core.sample import ImuSamples
from rolltrack.core.strokes.edge import THRESHOLD_MPS
from rolltrack.core.tracker import Tracker


def followed(samples, **changes):
    """What was said live, the prompt strokes, and the session at its end."""
    tracker = Tracker(setup(sensors="gyro", start_at_once=True, **changes))
    events = []
    for at in range(0, len(samples), 10):
        events += tracker.feed(samples[at : at + 10])
    events += tracker.finish()
    speeds = [e for e in events if isinstance(e, LiveSpeed)]
    prompt = [e.judged.stroke for e in events if isinstance(e, StrokeEnded)]
    (ended,) = (e for e in events if isinstance(e, SessionEnded))
    return speeds, prompt, [judged.stroke for judged in ended.strokes]


def resting(bias_radps, seconds, noise_radps=0.002):
    t_s = np.arange(0, seconds, 0.01)
    noise = np.random.default_rng(3).normal(0, noise_radps, (len(t_s), 3))
    return ImuSamples(t_s, None, noise + np.array([0.02, bias_radps, -0.01]))


@pytest.mark.parametrize("bias_radps", [0.07, 0.1, -0.14])
def test_a_large_bias_is_no_stroke(bias_radps):
    _, prompt, final = followed(resting(bias_radps, 30), axle=(0, 1, 0))
    assert not prompt
    assert not final


@pytest.mark.parametrize("bias_radps", [0.1, -0.3])
def test_a_large_bias_is_taken_off_once_it_has_been_seen(bias_radps):
    samples = to_and_fro([0.3, 0.3, 0.3], 0.05, lead_s=8.0).samples
    biased = ImuSamples(samples.t_s, None, samples.gyro_radps + np.array([0, bias_radps, 0]))
    _, prompt, final = followed(biased)
    assert len(prompt) == len(final) == 3
    for stroke in (*prompt, *final):
        assert stroke.length_m == pytest.approx(0.3, rel=0.02)


def test_a_bias_that_changed_between_sessions_is_learnt_anew():
    tracker = Tracker(setup(sensors="gyro", start_at_once=True, axle=(0, 1, 0)))
    before, after = resting(-0.04, 20), resting(0.05, 20)
    tracker.feed(before)
    tracker.finish()
    events = tracker.feed(replace(after, t_s=after.t_s + 60)) + tracker.finish()
    (ended,) = (e for e in events if isinstance(e, SessionEnded))
    assert not ended.strokes
    last = [e for e in events if isinstance(e, LiveSpeed)][-1]
    assert abs(last.speed_mps) < 0.0005


@pytest.mark.parametrize("lead_s", [2.0, 0.2])
def test_a_machine_may_turn_as_evenly_as_it_likes(lead_s):
    """At 0.2 rad/s for 15 s, to and fro, after a rest or without one before, and with one after."""
    rng = np.random.default_rng(1)
    parts = [(lead_s, 0.0), (15, 0.2), (2, 0.0), (15, -0.2), (4, 0.0)]
    rate = np.concatenate([np.full(round(s * 100), r) for s, r in parts])
    turn = rng.normal(0, 0.002, (len(rate), 3)) + np.array([0.01, 0.02, 0])
    turn[:, 1] += rate
    samples = ImuSamples(np.arange(len(rate)) / 100, None, turn)
    _, _, final = followed(samples, axle=(0, 1, 0))
    assert [stroke.direction for stroke in final] == [1, -1]
    for stroke in final:
        assert stroke.mean_speed_mps == pytest.approx(0.015, rel=0.03)


@pytest.mark.parametrize("lead_s", [0.3, 3.0])
def test_a_stroke_as_slow_and_even_as_a_machine_makes_it_is_no_bias(lead_s):
    roll = to_and_fro([0.3, -0.3], 0.0075, lead_s=lead_s)
    _, prompt, final = followed(replace(roll.samples, accel_mps2=None))
    fast = np.abs(roll.true_speed_mps)
    true_m = fast[fast > THRESHOLD_MPS].sum() * 0.01
    for found in (prompt, final):
        assert len(found) == 2
        assert sum(stroke.length_m for stroke in found) == pytest.approx(true_m, rel=0.03)


def test_the_scale_is_wrong_by_the_same_share_all_along():
    roll = to_and_fro([0.4], 0.04)
    for stroke in followed(roll.samples)[2]:
        assert stroke.mean_speed_sd_mps > 0.009 * stroke.mean_speed_mps


def test_in_the_hand_nothing_is_a_stroke_live_either():
    # Seed 5: the hand turned it mostly about one axis, which is not the axle.
    recording = record(load_scenario("carried"), 5)
    trace = recording.trace
    _, prompt, final = followed(ImuSamples(trace.t_s, None, trace.gyro_radps))
    assert len(prompt) == len(final) == len(recording.strokes)
    for found in (prompt, final):
        for stroke, true in zip(found, recording.strokes, strict=True):
            assert stroke.mean_speed_mps == pytest.approx(true.mean_speed_mps, rel=0.02)


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_few_readings_are_not_taken_for_quiet_ones(n):
    assert white_radps(np.zeros(n)) > 0.01
