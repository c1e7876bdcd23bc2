"""A chip's filter, errors, full scale and bits."""

import numpy as np
import pytest

from firmware_sim.chip import Accelerometer, Gyroscope
from firmware_sim.motion import GRAVITY_MPS2

EVERY = 8


@pytest.fixture
def dice():
    return np.random.default_rng(3)


def constant(values, n=80_000):
    return np.tile(np.asarray(values, dtype=float), (n, 1))


def test_a_perfect_chip_reads_the_truth(dice):
    truth = constant([1.0, -2.0, 9.0], 800)
    assert Accelerometer().read(truth, 100, EVERY, dice) == pytest.approx(truth[::EVERY])


def test_noise_has_the_density_of_the_data_sheet(dice):
    """White noise of density n, sampled at f, has the deviation n sqrt(f / 2)."""
    reading = Accelerometer(noise_mps2_rthz=0.001).read(constant([0, 0, 0]), 100, EVERY, dice)
    assert reading.std(axis=0) == pytest.approx([0.001 * np.sqrt(50)] * 3, rel=0.02)


def test_bias_gain_and_cross_axis_stay_within_their_limits():
    chip = Accelerometer(bias_mps2=0.4, gain=0.01, cross_axis=0.005)
    biases, gains, leaks = [], [], []
    for seed in range(300):
        truth = np.array([[0.0, 0, 0], [10, 0, 0]])
        zero, ten = chip.read(truth, 100, 1, np.random.default_rng(seed))
        biases.append(zero[0])
        gains.append((ten - zero)[0] / 10 - 1)
        leaks.append((ten - zero)[1] / 10)
    for drawn, limit in ((biases, 0.4), (gains, 0.01), (leaks, 0.005)):
        assert np.abs(drawn).max() <= limit * (1 + 1e-9)
        assert np.std(drawn) == pytest.approx(limit / np.sqrt(3), rel=0.15)


@pytest.mark.parametrize("bits", [12, 16])
def test_bits_set_the_step(dice, bits):
    lsb = 16 * GRAVITY_MPS2 / 2**bits
    ramp = np.linspace(-9, 9, 5001)[:, None] * np.ones(3)
    reading = Accelerometer(bits=bits).read(ramp, 100, 1, dice)
    np.testing.assert_allclose(reading / lsb, np.rint(reading / lsb), atol=1e-4)
    assert np.abs(reading - ramp).max() == pytest.approx(lsb / 2, rel=0.2)


def test_beyond_the_full_scale_nothing_more_is_read(dice):
    reading = Accelerometer(full_scale_g=2, bits=12).read(constant([50, -50, 0], 8), 100, 1, dice)
    assert reading[0] == pytest.approx([2 * GRAVITY_MPS2, -2 * GRAVITY_MPS2, 0], abs=0.02)
    turning = Gyroscope(full_scale_dps=250).read(constant([9, -9, 1], 8), 100, 1, dice)
    assert turning[0] == pytest.approx([np.radians(250), -np.radians(250), 1])


def test_what_sampling_would_fold_is_filtered_out_and_strokes_pass(dice):
    t_s = np.arange(80_000) / 800
    for frequency_hz, least, most in ((1, 0.999, 1.001), (10, 0.9, 1.0), (110, 0.0, 0.2)):
        wave = np.sin(2 * np.pi * frequency_hz * t_s)[:, None] * np.ones(3)
        passed = Accelerometer().read(wave, 100, EVERY, dice)[10:-10].std() * np.sqrt(2)
        assert least <= passed <= most


def test_the_filter_delays_nothing(dice):
    t_s = np.arange(8_000) / 800
    wave = np.sin(2 * np.pi * 2 * t_s)[:, None] * np.ones(3)
    read = Accelerometer().read(wave, 100, EVERY, dice)[100:-100]
    np.testing.assert_allclose(read, wave[::EVERY][100:-100], atol=5e-3)
