"""Posterior Cramer-Rao bound of the accelerometer-only speed: what nobody can do better than.

Covariance of the maximum a posteriori estimate, linearised at the true motion. The angle is a cubic
B-spline with the Singer prior (acceleration correlated over 0.3 s, with the true one's local size);
bias, lever arm and gains are unknown with the scenario's spread. Vibration counts as white noise of
the density it has within its band; bumps are left out. So it is a yardstick, not a proof: knowing
that vibration has no power below 2 Hz, an estimator may come out a little below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _accuracy_session import simulated
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.ndimage import uniform_filter1d

from firmware_sim.motion import GRAVITY_MPS2
from firmware_sim.scenario import load_scenario

if TYPE_CHECKING:
    from firmware_sim.scenario import Scenario
    from rolltrack.core.sample import FloatArray

_KNOT_S = 0.02
_CORRELATION_S = 0.3
_LOCAL_S = 1.5
_LEAST_ACCEL_RADPS2 = 0.3
_INSTANTS = 300
_UNIFORM = 1 / np.sqrt(3)
"""Standard deviation of what is drawn evenly between -1 and 1."""


def posterior_sd_mps(scenario_name: str, seed: int) -> float:
    """Root of the mean posterior variance of the speed over a session."""
    scenario = load_scenario(scenario_name)
    session = simulated(scenario_name, seed)
    t_s, radius_m = session.samples.t_s, session.radius_m
    rate = session.true_mps / radius_m
    accel = np.gradient(rate, t_s)
    angle = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(t_s))])
    knots = np.floor(t_s / _KNOT_S).astype(int)
    basis = _basis(t_s / _KNOT_S - knots)
    rows, border = _jacobian(angle, rate, accel, radius_m, basis)
    weight = np.repeat(1 / _noise_variance(scenario, session.true_mps), 2)
    information, cross = _banded(knots, rows, border, weight)
    _add_prior(information, accel, t_s)
    prior = 1 / np.array(_constants_sd(scenario)) ** 2
    constants = np.diag(prior) + (border * weight[:, None]).T @ border
    factor = (cholesky_banded(information, lower=True), True)
    schur = constants - cross.T @ cho_solve_banded(factor, cross)
    at = np.linspace(0, len(t_s) - 1, _INSTANTS).astype(int)
    probe = np.zeros((information.shape[1], _INSTANTS))
    for column, i in enumerate(at):
        probe[knots[i] : knots[i] + 4, column] = basis[1][i]
    solved = cho_solve_banded(factor, probe)
    through = cross.T @ solved
    variance = np.sum(probe * solved, axis=0)
    variance += np.sum(through * np.linalg.solve(schur, through), axis=0)
    return float(radius_m * np.sqrt(variance.mean()))


def _basis(u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n, 4) values, first and second derivatives of the splines alive at each reading."""
    v, h = 1 - u, _KNOT_S
    value = [v**3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3]
    first = [-(v**2), 3 * u**2 - 4 * u, -3 * u**2 + 2 * u + 1, u**2]
    second = [v, 3 * u - 2, 1 - 3 * u, u]
    return (
        np.stack(value, axis=1) / 6,
        np.stack(first, axis=1) / (2 * h),
        np.stack(second, axis=1) / h**2,
    )


def _jacobian(
    angle: FloatArray,
    rate: FloatArray,
    accel: FloatArray,
    radius_m: float,
    basis: tuple[FloatArray, FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """How the in-plane force changes with the coefficients (2n, 4) and with the constants (2n, 7).

    Force: g exp(i angle) (1 - i k accel), k = R/g; constants: bias (2), lever arm (2), gains (3).
    """
    gravity = GRAVITY_MPS2 * np.exp(1j * angle)
    k = radius_m / GRAVITY_MPS2
    force = gravity * (1 - 1j * k * accel)
    by_spline = (1j * force)[:, None] * basis[0] + (-1j * k * gravity)[:, None] * basis[2]
    lever = -(rate**2 + 1j * accel)
    one = np.ones_like(force)
    mirrored = force.conj()
    by_constant = np.stack([one, 1j * one, lever, 1j * lever, force, mirrored, 1j * mirrored], 1)
    return _real(by_spline), _real(by_constant)


def _real(rows: np.ndarray) -> FloatArray:
    """(2n, m) real and imaginary parts of complex rows (n, m), one after the other."""
    return np.asarray(np.stack([rows.real, rows.imag], axis=1).reshape(-1, rows.shape[1]))


def _noise_variance(scenario: Scenario, speed_mps: FloatArray) -> FloatArray:
    """(n,) variance of one reading."""
    nyquist_hz = scenario.rate_hz / 2
    white = scenario.accelerometer.noise_mps2_rthz**2 * nyquist_hz
    shaking = scenario.vibration
    if shaking is None:
        return np.full(len(speed_mps), white)
    low_hz, high_hz = shaking.band_hz
    share = np.minimum(np.abs(speed_mps) / shaking.full_speed_mps, 1.0)
    rms = shaking.rms_mps2 * (shaking.at_rest + (1 - shaking.at_rest) * share)
    return np.asarray(white + rms**2 / (high_hz - low_hz) * nyquist_hz)


def _banded(
    knots: np.ndarray, rows: FloatArray, border: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Information about the coefficients (4, m), lower bands, and its border (m, 7)."""
    m = int(knots[-1]) + 4
    first = np.repeat(knots, 2)
    bands, cross = np.zeros((4, m)), np.zeros((m, border.shape[1]))
    weighted = rows * weight[:, None]
    for a in range(4):
        np.add.at(cross, first + a, weighted[:, a, None] * border)
        for b in range(a, 4):
            np.add.at(bands[b - a], first + a, weighted[:, a] * rows[:, b])
    return bands, cross


def _add_prior(bands: FloatArray, accel: FloatArray, t_s: FloatArray) -> None:
    """Singer prior: jerk + accel / T is white, of the size that keeps accel at its local rms."""
    width = max(3, round(_LOCAL_S / float(np.median(np.diff(t_s)))))
    local = uniform_filter1d(accel**2, width, mode="nearest") + _LEAST_ACCEL_RADPS2**2
    intervals = bands.shape[1] - 3
    size = np.interp(_KNOT_S * (np.arange(intervals) + 0.5), t_s, local)
    weight = _KNOT_S * _CORRELATION_S / (2 * size)
    row = np.array([-1.0, 3.0, -3.0, 1.0]) / _KNOT_S**3
    row += np.array([0.5, -0.5, -0.5, 0.5]) / _KNOT_S**2 / _CORRELATION_S
    for a in range(4):
        for b in range(a, 4):
            bands[b - a, a : a + intervals] += weight * row[a] * row[b]


def _constants_sd(scenario: Scenario) -> list[float]:
    bias = max(scenario.accelerometer.bias_mps2 * _UNIFORM, 1e-6)
    lever = max(scenario.mounting.scatter.lever_m / np.sqrt(2), 1e-6)
    gain = max(scenario.accelerometer.gain * _UNIFORM, 1e-6)
    return [bias, bias, lever, lever, gain, gain, gain]
