"""Both sensors against the simulator's truth, and the ways a reading can be worthless."""

from dataclasses import replace

import numpy as np
import pytest
from support.rolling import RADIUS_M, to_and_fro

from firmware_sim.chip import Accelerometer
from firmware_sim.effects.vibration import Vibration
from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack.core.motion.axle import AxleFinder
from rolltrack.core.motion.batch import Constants, estimate_batch
from rolltrack.core.motion.final import FinalEstimator
from rolltrack.core.motion.lever import LEVER
from rolltrack.core.motion.naive import naive_speed_mps
from rolltrack.core.motion.normal import Readings
from rolltrack.core.sample import ImuSamples
from rolltrack.core.strokes.segmenter import Segmenter

ROLL = to_and_fro([0.3, -0.3, 0.3, -0.3], 0.08, gyro=False)
CLEAN = Accelerometer(bias_mps2=0.5)
STILL = Vibration(rms_mps2=0.0)


def final(samples: ImuSamples):
    finder, estimator = AxleFinder(), FinalEstimator(RADIUS_M)
    finder.see_turning(samples)
    return estimator.estimate(samples, finder, learn=slice(None)), estimator


def rmse(estimated, true) -> float:
    sign = np.sign(np.nansum(estimated * true))
    return float(np.sqrt(np.nanmean((sign * estimated - true) ** 2)))


def test_it_beats_the_obvious_reading_severalfold():
    roll = to_and_fro([0.3, -0.3, 0.3, -0.3], 0.2, gyro=False)
    motion, _ = final(roll.samples)
    axle = np.array([0.0, 1.0, 0.0])
    naive = naive_speed_mps(roll.samples.t_s, roll.samples.accel_mps2, axle, RADIUS_M)
    assert rmse(motion.speed_mps, roll.true_speed_mps) < 0.2 * rmse(naive, roll.true_speed_mps)


def test_bias_and_lever_arm_are_learnt_on_the_way():
    calm = {"accelerometer": CLEAN, "vibration": STILL}
    roll = to_and_fro([0.5, -0.5] * 4, 0.25, gyro=False, seed=5, **calm)
    lever_m = np.hypot(0.02, 0.01)
    motion, best = final(roll.samples)
    assert np.hypot(*best.known.mean[2:4]) == pytest.approx(lever_m, abs=0.001)
    assert rmse(motion.speed_mps, roll.true_speed_mps) < 0.002 * 0.25


def test_slow_strokes_do_not_teach_a_lever_arm_that_is_not_there():
    roll = to_and_fro([0.3, -0.3, 0.3], 0.03, gyro=False)
    motion, best = final(roll.samples)
    assert np.hypot(*best.known.mean[2:4]) < 0.05
    assert motion.valid.all()


@pytest.mark.parametrize("gyro", [True, False])
def test_both_sensors_together_beat_each_alone(gyro):
    roll = to_and_fro([0.3, -0.3, 0.3, -0.3], 0.08)
    both, _ = final(roll.samples)
    one = ImuSamples(roll.samples.t_s, None, roll.samples.gyro_radps)
    if not gyro:
        one = ImuSamples(roll.samples.t_s, roll.samples.accel_mps2)
    alone, _ = final(one)
    true = roll.true_speed_mps
    assert rmse(both.speed_mps, true) < 0.7 * rmse(alone.speed_mps, true)


def test_the_stated_error_covers_the_real_one():
    motion, _ = final(ROLL.samples)
    sign = np.sign(np.sum(motion.speed_mps * ROLL.true_speed_mps))
    error = np.abs(sign * motion.speed_mps - ROLL.true_speed_mps)
    assert np.mean(error < 2 * motion.speed_sd_mps) > 0.9


@pytest.mark.parametrize("scale", [1 / 9.80665, 0.02, 3.0])
def test_force_that_is_not_gravity_s_size_is_unknown_not_a_number(scale):
    samples = ImuSamples(ROLL.samples.t_s, ROLL.samples.accel_mps2 * scale)
    motion = FinalEstimator(RADIUS_M).estimate(samples, AxleFinder(hint=(0, 1, 0)), learn=None)
    assert not motion.valid.any()
    assert np.isnan(motion.speed_mps).all()


def test_clipped_readings_are_unknown():
    clipped = np.zeros(len(ROLL.samples), dtype=bool)
    clipped[100:110] = True
    samples = ImuSamples(ROLL.samples.t_s, ROLL.samples.accel_mps2, None, clipped)
    motion, _ = final(samples)
    assert not motion.valid[100:110].any()
    assert motion.valid[:100].all()


def test_without_an_axle_nothing_is_known():
    motion = FinalEstimator(RADIUS_M).estimate(ROLL.samples, AxleFinder(), learn=None)
    assert not motion.valid.any()


@pytest.mark.parametrize("seed", range(3))
def test_final_learns_the_lever_arm_from_slow_strokes_on_a_rough_floor(seed):
    recording = record(load_scenario("near-limit-rough"), seed)
    trace = recording.trace
    samples = ImuSamples(trace.t_s, trace.accel_mps2, None)
    finder = AxleFinder(hint=(0.0, 1.0, 0.0))
    finder.see_turning(samples)
    estimator = FinalEstimator(0.075)
    estimator.estimate(samples, finder, slice(None))
    learnt = estimator.known.mean[LEVER]
    assert 0.02 < np.hypot(*learnt) < 0.04, "the sensor sits 3 cm off the axle"


@pytest.mark.parametrize("rate_hz", [25, 50, 100, 200, 400])
def test_rounding_does_not_choose_the_knots_of_a_reading(rate_hz):
    t_s = np.arange(2 * rate_hz) / rate_hz
    z = np.full(len(t_s), 9.81 + 0.0j)
    readings = Readings(z, None, RADIUS_M / 9.80665, 1 / rate_hz)
    known = Constants.prior(RADIUS_M, gyroscope=False)
    basis = estimate_batch(t_s, readings, known).basis
    share = (t_s - basis.start_s) / basis.spacing_s % 1.0
    assert np.minimum(share, 1.0 - share).min() > 0.01


def test_the_blur_is_what_makes_strokes_on_a_rough_floor_begin_early_and_end_late():
    recording = record(load_scenario("near-limit-rough"), 1000)
    trace = recording.trace
    motion, _ = final(ImuSamples(trace.t_s, trace.accel_mps2, None))
    longer_s = {}
    for known in (True, False):
        segmenter = Segmenter()
        found = segmenter.feed(motion if known else replace(motion, blur_mps=None))
        found += segmenter.end_stretch(gap=False)
        assert len(found) == len(recording.strokes)
        pairs = zip(found, recording.strokes, strict=True)
        longer_s[known] = np.mean([(f.end_s - f.start_s) - (t.end_s - t.start_s) for f, t in pairs])
    assert longer_s[False] > 0.035
    assert abs(longer_s[True]) < 0.6 * longer_s[False]
