"""Sensors at the end of their range that do not say so, as phones and publishers of readings."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from support.rolling import only, run, said, strokes_of, to_and_fro

from rolltrack.core.events import FinalSpeed, SessionEnded
from rolltrack.core.motion.clipping import Range
from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.sample import ImuSamples

RANGE_RADPS = np.deg2rad(250)
FAST = to_and_fro([0.25, -0.25] * 3, 0.12, radius_m=0.03)


def clipped(samples, most_radps=RANGE_RADPS, most_mps2=np.inf):
    return replace(
        samples,
        accel_mps2=np.clip(samples.accel_mps2, -most_mps2, most_mps2),
        gyro_radps=np.clip(samples.gyro_radps, -most_radps, most_radps),
    )


def marked(samples, cuts=()):
    """Which readings are, of those sensors that are kept."""
    ends, edges = Range(), [0, *cuts, len(samples)]
    parts = [
        part
        for start, stop in itertools.pairwise(edges)
        for part in ends.taken(samples[start:stop])
    ]
    return np.concatenate(
        [np.zeros(len(p), dtype=bool) if p.clipped is None else p.clipped for p in parts]
    )


def test_what_was_clipped_is_unknown_and_the_rest_is_right():
    events = run(clipped(FAST.samples), radius_m=0.03, sensors="gyro", live=False, keep_series=True)
    motion = said(events, FinalSpeed)
    rate = np.abs(FAST.samples.gyro_radps).max(axis=1)
    beyond = rate > 1.02 * RANGE_RADPS
    assert beyond.mean() > 0.1
    assert not motion.valid[beyond].any()
    assert motion.valid[~beyond].mean() > 0.8
    error = np.abs(np.abs(motion.speed_mps) - np.abs(FAST.true_speed_mps))
    assert np.mean((error / motion.speed_sd_mps)[motion.valid] < 3) > 0.97
    strokes = [judged.stroke for judged in only(events, SessionEnded)[0].strokes]
    assert all(stroke.partly_unknown for stroke in strokes)


@pytest.mark.parametrize("cuts", [(), (1,), (200, 201, 202, 203), tuple(range(7, 900, 7))])
def test_cuts_make_no_difference(cuts):
    samples = replace(clipped(FAST.samples), accel_mps2=None)
    assert marked(samples)[: len(samples)].tolist() == marked(samples, cuts).tolist()
    assert marked(samples).any()


def test_a_sensor_that_does_not_clip_is_left_alone():
    fast = to_and_fro([0.3, -0.3] * 3, 0.25, radius_m=0.03)
    assert np.abs(fast.samples.gyro_radps).max() > 15
    assert not marked(fast.samples).any()


def seen(samples):
    ends = Range()
    assert len(list(ends.taken(samples))) == 1
    return ends


def swings(top, *, rounding=0.01, repeats=1):
    """Ten swings of 5 rad/s and a little more or less, cut off at the top."""
    t_s = np.arange(0, 10, 0.01 * repeats)
    noise = np.random.default_rng(2).normal(0, 0.01, (len(t_s), 3))
    size = 5.0 + 0.4 * np.sin(0.7 * t_s)
    turn = noise + np.outer(size * np.sin(2 * np.pi * t_s), [1, 0, 0])
    turn = np.clip(rounding * np.round(turn / rounding), -top, top)
    told = np.repeat(turn, repeats, axis=0)
    return ImuSamples(np.arange(len(told)) / 100, None, told)


def test_two_plateaus_tell_the_end_of_the_range():
    found = marked(swings(4.5))
    at_end = np.abs(swings(4.5).gyro_radps).max(axis=1) >= 4.5
    assert not found[~at_end].any()
    assert 0 < np.argmax(found) * 0.01 < 3
    assert found[at_end].mean() > 0.7
    assert seen(swings(4.5)).again(swings(4.5)).clipped.tolist() == at_end.tolist()


@pytest.mark.parametrize(("rounding", "repeats"), [(0.1, 1), (0.02, 2), (0.001, 3)])
def test_coarse_sensors_and_those_asked_too_often_are_believed(rounding, repeats):
    samples = swings(np.inf, rounding=rounding, repeats=repeats)
    assert marked(samples).mean() < 0.01
    again = seen(samples).again(samples).clipped
    assert again is None or again.mean() < 0.01


def test_what_is_beyond_was_no_end_and_what_nothing_feels_is_none():
    t_s = np.arange(0, 2, 0.01)
    force = np.tile([0.0, 0.0, G_MPS2], (200, 1))
    for start in (10, 30):
        force[start : start + 4, 0] = 20.0
    force[50, 0] = 700.0
    force[70:73, 0], force[90, 0], force[110:113, 0] = 20.0, 25.0, 20.0
    assert np.flatnonzero(marked(ImuSamples(t_s, force))).tolist() == [32, 33, 70, 71, 72]


@pytest.mark.parametrize("mean_mps", [0.2, 0.25])
def test_a_gyroscope_whose_range_is_too_short_is_left_out_for_the_accelerometer(mean_mps):
    """250 degrees/s, a common setting: live and final are as with an accelerometer alone."""
    roll = to_and_fro([0.3, -0.3] * 5, mean_mps)
    prompt, final = strokes_of(run(clipped(roll.samples), sensors="both"))
    alone = strokes_of(run(roll.samples, sensors="accel"))[1]
    # Where it shows, the stroke is cut in two.
    cut = [stroke for stroke in final if stroke.partly_unknown]
    assert len(cut) == 2
    assert len(final) == len(alone) + 1 == 11
    assert len(prompt) >= 9
    for stroke in final:
        if stroke not in cut:
            (other,) = (o for o in alone if abs(o.start_s - stroke.start_s) < 0.05)
            assert stroke.mean_speed_mps == pytest.approx(other.mean_speed_mps, rel=0.02)
            assert stroke.peak_speed_mps == pytest.approx(other.peak_speed_mps, rel=0.03)
