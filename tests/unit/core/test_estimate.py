"""Both sensors against the simulator's truth, and the ways a reading can be worthless."""

import numpy as np
import pytest
from support.rolling import RADIUS_M, to_and_fro

from firmware_sim.chip import Accelerometer
from firmware_sim.effects.vibration import Vibration
from rolltrack.core.motion.axle import AxleFinder
from rolltrack.core.motion.final import FinalEstimator
from rolltrack.core.motion.linear import LinearEstimator
from rolltrack.core.motion.naive import naive_speed_mps
from rolltrack.core.motion.phase import plane_across
from rolltrack.core.sample import ImuSamples

ROLL = to_and_fro([0.3, -0.3, 0.3, -0.3], 0.08, gyro=False)
CLEAN = Accelerometer(bias_mps2=0.5)
STILL = Vibration(rms_mps2=0.0)


def final(samples: ImuSamples, kind=FinalEstimator):
    finder, estimator = AxleFinder(), kind(RADIUS_M)
    finder.see_turning(samples)
    return estimator.estimate(samples, finder, learn=slice(None)), estimator


def rmse(estimated, true) -> float:
    sign = np.sign(np.nansum(estimated * true))
    return float(np.sqrt(np.nanmean((sign * estimated - true) ** 2)))


@pytest.mark.parametrize(("kind", "share"), [(LinearEstimator, 0.25), (FinalEstimator, 0.2)])
def test_it_beats_the_obvious_reading_severalfold(kind, share):
    roll = to_and_fro([0.3, -0.3, 0.3, -0.3], 0.2, gyro=False)
    motion, _ = final(roll.samples, kind)
    axle = np.array([0.0, 1.0, 0.0])
    naive = naive_speed_mps(roll.samples.t_s, roll.samples.accel_mps2, axle, RADIUS_M)
    assert rmse(motion.speed_mps, roll.true_speed_mps) < share * rmse(naive, roll.true_speed_mps)


def test_bias_and_lever_arm_are_learnt_on_the_way():
    calm = {"accelerometer": CLEAN, "vibration": STILL}
    roll = to_and_fro([0.5, -0.5] * 4, 0.25, gyro=False, seed=5, **calm)
    lever_m = np.hypot(0.02, 0.01)
    motion, linear = final(roll.samples, LinearEstimator)
    _, lever = linear.radial.constants(plane_across(np.array([0.0, 1.0, 0.0])))
    assert abs(lever) == pytest.approx(lever_m, abs=0.003)
    assert rmse(motion.speed_mps, roll.true_speed_mps) < 0.01 * 0.25
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


@pytest.mark.parametrize("kind", [LinearEstimator, FinalEstimator])
@pytest.mark.parametrize("scale", [1 / 9.80665, 0.02, 3.0])
def test_force_that_is_not_gravity_s_size_is_unknown_not_a_number(scale, kind):
    samples = ImuSamples(ROLL.samples.t_s, ROLL.samples.accel_mps2 * scale)
    motion = kind(RADIUS_M).estimate(samples, AxleFinder(hint=(0, 1, 0)), learn=None)
    assert not motion.valid.any()
    assert np.isnan(motion.speed_mps).all()


def test_clipped_readings_are_unknown():
    clipped = np.zeros(len(ROLL.samples), dtype=bool)
    clipped[100:110] = True
    samples = ImuSamples(ROLL.samples.t_s, ROLL.samples.accel_mps2, None, clipped)
    motion, _ = final(samples)
    assert not motion.valid[100:110].any()
    assert motion.valid[:100].all()


@pytest.mark.parametrize("kind", [LinearEstimator, FinalEstimator])
def test_without_an_axle_nothing_is_known(kind):
    motion = kind(RADIUS_M).estimate(ROLL.samples, AxleFinder(), learn=None)
    assert not motion.valid.any()
