"""Both sensors against the simulator's truth, and the ways a reading can be worthless."""

import numpy as np
import pytest
from support.rolling import RADIUS_M, to_and_fro

from firmware_sim.imu import Flaws
from rolltrack.core.motion.axle import AxleFinder
from rolltrack.core.motion.estimate import estimate
from rolltrack.core.motion.naive import naive_speed_mps
from rolltrack.core.motion.phase import plane_across
from rolltrack.core.motion.radial import RadialFit
from rolltrack.core.sample import ImuSamples

ROLL = to_and_fro([0.3, -0.3, 0.3, -0.3], 0.08, gyro=False)
CLEAN = Flaws(accel_bias_mps2=0.3)


def final(samples: ImuSamples, radius_m: float = RADIUS_M):
    finder, radial = AxleFinder(), RadialFit()
    finder.see_turning(samples)
    return estimate(samples, finder, radial, radius_m, slice(None)), radial


def rmse(estimated, true) -> float:
    sign = np.sign(np.nansum(estimated * true))
    return float(np.sqrt(np.nanmean((sign * estimated - true) ** 2)))


def test_it_beats_the_obvious_reading_severalfold():
    roll = to_and_fro([0.3, -0.3, 0.3, -0.3], 0.2, gyro=False)
    motion, _ = final(roll.samples)
    axle = np.array([0.0, 1.0, 0.0])
    naive = naive_speed_mps(roll.samples.t_s, roll.samples.accel_mps2, axle, RADIUS_M)
    assert rmse(motion.speed_mps, roll.true_speed_mps) < 0.25 * rmse(naive, roll.true_speed_mps)


def test_bias_and_lever_arm_are_learnt_from_the_radial_residual():
    roll = to_and_fro([0.5, -0.5] * 4, 0.25, gyro=False, flaws=CLEAN, seed=5)
    motion, radial = final(roll.samples)
    _, lever = radial.constants(plane_across(np.array([0.0, 1.0, 0.0])))
    assert abs(lever) == pytest.approx(np.hypot(0.02, 0.01), abs=0.003)
    assert rmse(motion.speed_mps, roll.true_speed_mps) < 0.01 * 0.25


def test_the_stated_error_covers_the_real_one():
    motion, _ = final(ROLL.samples)
    sign = np.sign(np.sum(motion.speed_mps * ROLL.true_speed_mps))
    error = np.abs(sign * motion.speed_mps - ROLL.true_speed_mps)
    assert np.mean(error < 2 * motion.speed_sd_mps) > 0.9


@pytest.mark.parametrize("scale", [1 / 9.80665, 0.02, 3.0])
def test_force_that_is_not_gravity_s_size_is_unknown_not_a_number(scale):
    samples = ImuSamples(ROLL.samples.t_s, ROLL.samples.accel_mps2 * scale)
    finder, radial = AxleFinder(hint=(0, 1, 0)), RadialFit()
    motion = estimate(samples, finder, radial, RADIUS_M)
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
    motion = estimate(ROLL.samples, AxleFinder(), RadialFit(), RADIUS_M)
    assert not motion.valid.any()
