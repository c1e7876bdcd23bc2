"""The sliding window against the batch estimate it stands for, and the ways such windows fail."""

import numpy as np
import pytest
from support.rolling import RADIUS_M, to_and_fro

from firmware_sim.chip import Accelerometer
from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack.core.motion.batch import Constants, estimate_batch
from rolltrack.core.motion.constants import mean_period_s, no_slip_time_s
from rolltrack.core.motion.lever import LEVER
from rolltrack.core.motion.normal import Readings
from rolltrack.core.motion.phase import in_plane, plane_across
from rolltrack.core.motion.window import SlidingWindow

TAU_S = no_slip_time_s(RADIUS_M)
START_S, SPAN_S, SETTLED_S = 1.0, 17 * TAU_S, 6 * TAU_S


def readings_of(t_s, accel_mps2, axle, gyro_radps=None):
    plane = plane_across(np.asarray(axle, dtype=float))
    about = None if gyro_radps is None else gyro_radps @ np.asarray(axle, dtype=float)
    return Readings(in_plane(accel_mps2, plane), about, TAU_S**2, mean_period_s(t_s))


def part(readings, first, stop):
    rate = readings.rate_radps
    return Readings(
        readings.z[first:stop],
        None if rate is None else rate[first:stop],
        readings.k_s2,
        readings.period_s,
    )


def slide(t_s, readings, hop_s, *, lag_s=SETTLED_S):
    """The rate read `lag_s` behind the newest reading, NaN before there is one; and the window."""
    gyroscope = readings.rate_radps is not None
    window = SlidingWindow(Constants.prior(RADIUS_M, gyroscope=gyroscope), TAU_S**2)
    first, said = 0, np.full(len(t_s), np.nan)
    stop = int(np.searchsorted(t_s, t_s[0] + START_S))
    window.begin(t_s[:stop], part(readings, 0, stop))
    hop = round(hop_s / readings.period_s)
    for now in range(stop + hop, len(t_s) + 1, hop):
        new, times = part(readings, first, now), t_s[first:now]
        glimpse = window.advance(times, new, np.array([len(times) - 1]))
        until = int(np.searchsorted(times, times[-1] - lag_s))
        fresh = slice(max(0, until - hop), until)
        said[first:now][fresh] = glimpse.rate_radps[fresh]
        first += window.marginalise(times, new, float(times[-1]) - SPAN_S)
    return said, window


def rmse(said_radps, true_mps):
    known = np.isfinite(said_radps)
    sign = np.sign(said_radps[known] @ true_mps[known])
    return np.sqrt(np.mean((sign * RADIUS_M * said_radps[known] - true_mps[known]) ** 2))


@pytest.mark.parametrize(("gyro", "early_mps"), [(False, 1e-4), (True, 3e-4)])
def test_marginalised_is_as_good_as_kept(gyro, early_mps):
    """But for the first stroke, when the constants are not known yet."""
    roll = to_and_fro([0.3, -0.25, 0.2, -0.3], 0.12)
    samples = roll.samples
    readings = readings_of(
        samples.t_s, samples.accel_mps2, (0, 1, 0), samples.gyro_radps if gyro else None
    )
    said, window = slide(samples.t_s, readings, 0.05)
    known = Constants.prior(RADIUS_M, gyroscope=gyro)
    batch = estimate_batch(samples.t_s, readings, known).model.rate
    batch[~np.isfinite(said)] = np.nan
    ours, best = (rmse(rate, roll.true_speed_mps) for rate in (said, batch))
    assert ours < 1.5 * best + early_mps
    assert np.all(np.linalg.eigvalsh(window.prior.precision) > 0)


@pytest.mark.parametrize("hop_s", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("seed", [200, 201])
def test_packets_of_any_usual_length_on_a_rough_floor_do_not_blow_it_up(seed, hop_s):
    trace = record(load_scenario("rough"), seed).trace
    readings = readings_of(trace.t_s, trace.accel_mps2, (0, 0, 1))
    said, _ = slide(trace.t_s, readings, hop_s)
    assert rmse(said, trace.true_speed_mps) < 0.006


def test_a_roller_at_rest_teaches_no_lever_arm():
    """Vibration at rest once passed for a lever arm of metres."""
    shaky = Accelerometer(bias_mps2=0.35, noise_mps2_rthz=0.04)
    samples = to_and_fro([], lead_s=8.0, accelerometer=shaky, gyro=False).samples
    _, window = slide(samples.t_s, readings_of(samples.t_s, samples.accel_mps2, (0, 1, 0)), 0.05)
    prior_sd = 0.5 * RADIUS_M
    assert np.all(np.abs(window.q[LEVER]) < prior_sd)
    precision = window.known().precision[LEVER, LEVER]
    assert np.sqrt(np.linalg.inv(precision).diagonal()).min() > 0.5 * prior_sd


def test_an_heir_knows_the_same_less_surely():
    roll = to_and_fro([0.3, -0.3, 0.3], 0.2, gyro=False)
    samples = roll.samples
    _, window = slide(samples.t_s, readings_of(samples.t_s, samples.accel_mps2, (0, 1, 0)), 0.05)
    heir = window.heir()
    sd, heirs_sd, large_sd = (
        np.sqrt(np.linalg.inv(known.precision).diagonal())
        for known in (window.known(), heir.known(), Constants.prior(RADIUS_M, gyroscope=False))
    )
    np.testing.assert_allclose(heir.known().mean, window.known().mean)
    assert np.all(heirs_sd > sd)
    assert np.all(heirs_sd <= large_sd * (1 + 1e-9))


def test_the_gyroscope_s_scale_is_learnt_from_counted_revolutions():
    roll = to_and_fro([0.4, -0.4, 0.4, -0.4], 0.2)
    samples = roll.samples
    stretched = 1.015 * samples.gyro_radps
    readings = readings_of(samples.t_s, samples.accel_mps2, (0, 1, 0), stretched)
    _, window = slide(samples.t_s, readings, 0.05)
    assert window.q[-1] == pytest.approx(0.015, abs=0.002)
    assert window.q[-2] == pytest.approx(
        np.mean((stretched @ [0.0, 1.0, 0.0])[samples.t_s < 1.0]), abs=1e-3
    )


def test_a_bias_that_the_turned_plane_shifts_is_less_sure_along_the_shift():
    window = SlidingWindow(Constants.prior(RADIUS_M, gyroscope=False), TAU_S**2)
    before = np.linalg.inv(window.known().precision)
    shift = np.array([0.3, -0.1])
    window.shift_bias(shift)
    after = window.known()
    assert after.mean[:2] == pytest.approx(shift)
    grown = np.linalg.inv(after.precision) - before
    assert grown[:2, :2] == pytest.approx(np.outer(shift, shift))
    assert grown[2:] == pytest.approx(0.0, abs=1e-9)
