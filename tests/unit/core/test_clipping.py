"""Sensors at the end of their range that do not say so, as phones and publishers of readings."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from support.rolling import only, run, said, to_and_fro

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
    whole, edges = Range(), [0, *cuts, len(samples)]
    parts = [whole.mark(samples[start:stop]) for start, stop in itertools.pairwise(edges)]
    found = ImuSamples.join(parts).clipped
    return np.zeros(len(samples), dtype=bool) if found is None else found


@pytest.mark.parametrize("sensors", ["gyro", "both"])
def test_what_was_clipped_is_unknown_and_the_rest_is_right(sensors):
    events = run(
        clipped(FAST.samples), radius_m=0.03, sensors=sensors, live=False, keep_series=True
    )
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
    samples = clipped(FAST.samples)
    assert marked(samples)[: len(samples)].tolist() == marked(samples, cuts).tolist()
    assert marked(samples).any()


def test_a_sensor_that_does_not_clip_is_left_alone():
    fast = to_and_fro([0.3, -0.3] * 3, 0.25, radius_m=0.03)
    assert np.abs(fast.samples.gyro_radps).max() > 15
    assert not marked(fast.samples).any()


def test_a_knock_is_no_plateau_and_a_flat_one_is():
    t_s = np.arange(0, 1, 0.01)
    calm = np.tile([0.0, 0.0, G_MPS2], (100, 1))
    knocked, flat = calm.copy(), calm.copy()
    knocked[50:53, 0] = [15.0, 31.0, 22.0]
    flat[50:55, 0] = 2 * G_MPS2
    assert not marked(ImuSamples(t_s, knocked)).any()
    assert np.flatnonzero(marked(ImuSamples(t_s, flat))).tolist() == [52, 53, 54]


def test_a_coarse_gyroscope_that_repeats_itself_at_the_top_of_one_swing_is_believed():
    t_s = np.arange(0, 4, 0.01)
    swing = np.round(5.0 * np.sin(np.pi * t_s) * np.linspace(1, 0.9, 400), 1)
    assert not marked(ImuSamples(t_s, None, np.column_stack([swing, 0 * swing, 0 * swing]))).any()


def test_what_is_beyond_was_no_end():
    t_s = np.arange(0, 1, 0.01)
    force = np.tile([0.0, 0.0, G_MPS2], (100, 1))
    force[10:14, 0], force[40, 0], force[60:64, 0] = 20.0, 25.0, 20.0
    assert np.flatnonzero(marked(ImuSamples(t_s, force))).tolist() == [12, 13]
