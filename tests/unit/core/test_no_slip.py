import numpy as np
import pytest

from rolltrack.core.motion.constants import no_slip_time_s
from rolltrack.core.motion.no_slip import undo_no_slip

TAU_S = no_slip_time_s(0.075)


def test_no_slip_time_is_the_root_of_radius_over_gravity():
    assert pytest.approx(0.0874, abs=1e-4) == TAU_S


@pytest.mark.parametrize("period_s", [0.04, 0.01, 0.0025])
def test_a_sine_comes_back_with_its_true_rate(period_s):
    t_s = np.arange(0, 10, period_s)
    w = 2 * np.pi / 4
    phase = (1 + (TAU_S * w) ** 2) * np.sin(w * t_s)
    turning = undo_no_slip(t_s, phase, TAU_S)
    inside = (t_s > 1) & (t_s < 9)
    # The phase counts as linear between readings, which costs (period / tau)^2 / 12.
    share = 0.1 * (period_s / TAU_S) ** 2
    np.testing.assert_allclose(
        turning.rate_radps[inside], w * np.cos(w * t_s)[inside], atol=w * share
    )
    np.testing.assert_allclose(
        turning.rate_change_radps2[inside], -(w**2) * np.sin(w * t_s)[inside], atol=w**2 * share
    )


def test_it_is_the_convolution_with_the_two_sided_exponential():
    t_s = np.arange(0, 6, 0.005)
    phase = np.cumsum(np.random.default_rng(1).normal(0, 0.01, len(t_s)))
    fine = np.arange(0, 6, 0.0005)
    kernel = np.exp(-np.abs(np.arange(-2, 2.0001, 0.0005)) / TAU_S) / (2 * TAU_S) * 0.0005
    slow = np.convolve(np.interp(fine, t_s, phase), kernel, mode="same")[::10][: len(t_s)]
    inside = (t_s > 1.5) & (t_s < 4.5)
    angle = undo_no_slip(t_s, phase, TAU_S).angle_rad
    np.testing.assert_allclose(angle[inside], slow[inside], atol=2e-4)


def test_uneven_spacing_changes_nothing_for_a_steady_turn():
    t_s = np.sort(np.random.default_rng(2).uniform(0, 5, 300))
    turning = undo_no_slip(t_s, 3.0 * t_s + 1.0, TAU_S)
    np.testing.assert_allclose(turning.rate_radps, 3.0, atol=1e-6)


def test_the_end_s_error_fades_within_a_few_no_slip_times():
    t_s = np.arange(0, 5, 0.01)
    phase = np.sin(2 * t_s) * (1 + 4 * TAU_S**2)
    whole = undo_no_slip(t_s, phase, TAU_S).rate_radps
    cut = undo_no_slip(t_s[:300], phase[:300], TAU_S).rate_radps
    error = np.abs(whole[:300] - cut)
    assert error[299] > 5 * error[299 - 26]
    assert error[299 - 52] < 1e-3
