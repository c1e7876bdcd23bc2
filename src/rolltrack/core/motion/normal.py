"""The rolling model, linearised: banded in the spline, bordered by the constants.

The angle theta(t) of the roller is a cubic B-spline with coefficients c. In the plane across the
axle, seen so that the phase of gravity runs with the roller, an accelerometer at p from the axle
with bias b reads

    z = (1 + e) z0 + (d + i x) conj(z0) - p (w^2 + i w') + b,    z0 = g exp(i theta) (1 - i k w'),

w and w' being the derivatives of theta, k = R/g (rolling without slip on a level floor), e a common
and d, x a differential gain error. A gyroscope reads (1 + s) w + n. The constants q = [Re b, Im b,
Re p, Im p, e, d, x] and, with a gyroscope, [n, s] are the same all along.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.motion.spline import ORDER

if TYPE_CHECKING:
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.motion.spline import Basis
    from rolltrack.core.sample import FloatArray

ACCEL_CONSTANTS = 7
GYRO_CONSTANTS = 2
_HUBER_GYRO = 3.0
_SMOOTHED = 0.8
"""Width of the smoothing of w', applied twice, in no-slip times."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What was measured at N times, in the plane across the axle.

    Attributes:
        z: (N,) specific force; its phase runs with the roller.
        rate_radps: (N,) angular rate about the axle, or None.
        k_s2: R / g.
        period_s: sampling period.
        rate_sd_radps: noise of the gyroscope, one number or (N,).
        trusted: weight of each reading, one number or (N,); 0 where the model cannot hold.
    """

    z: ComplexArray
    rate_radps: FloatArray | None
    k_s2: float
    period_s: float
    rate_sd_radps: float | FloatArray = 0.003
    trusted: float | FloatArray = 1.0

    @property
    def constants(self) -> int:
        """How many constants the model has."""
        return ACCEL_CONSTANTS + (0 if self.rate_radps is None else GYRO_CONSTANTS)

    def first(self, count: int) -> Readings:
        """The oldest of them."""
        rate, sd, trusted = self.rate_radps, self.rate_sd_radps, self.trusted
        return Readings(
            self.z[:count],
            None if rate is None else rate[:count],
            self.k_s2,
            self.period_s,
            sd[:count] if isinstance(sd, np.ndarray) else sd,
            trusted[:count] if isinstance(trusted, np.ndarray) else trusted,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """The model at N times: what it says, and how that depends on angle, rate and rate change.

    Attributes:
        angle: (N,) theta.
        rate: (N,) w.
        change: (N,) w'.
        lever: (N,) what a lever arm is multiplied by: -(w^2 + i w'), with w' smoothed.
        gravity: (N,) z0.
        residual: (N,) measured less predicted specific force.
        by_angle: (N,) derivative of the prediction.
        by_rate: (N,) the same.
        by_change: (N,) the same.
    """

    angle: FloatArray
    rate: FloatArray
    change: FloatArray
    lever: ComplexArray
    gravity: ComplexArray
    residual: ComplexArray
    by_angle: ComplexArray
    by_rate: ComplexArray
    by_change: ComplexArray

    def first(self, count: int) -> Predicted:
        """The same at the oldest of the times."""
        return Predicted(*(getattr(self, each.name)[:count] for each in fields(self)))


def predict(basis: Basis, c: FloatArray, q: FloatArray, readings: Readings) -> Predicted:
    """Evaluate the model and its derivatives at coefficients c and constants q.

    The estimated w' has absorbed vibration, which no lever arm turns into force: with it, residuals
    correlate with the lever arm's columns and drive them far off. What a hand does is slower, so
    w' is smoothed there over about a no-slip time.
    """
    angle, rate, change = basis.evaluate(c)
    k = readings.k_s2
    width = max(1, round(_SMOOTHED * float(np.sqrt(k)) / readings.period_s))
    slow = uniform_filter1d(change, width, output=float, mode="nearest")
    slow = uniform_filter1d(slow, width, output=float, mode="nearest")
    by_lever = -(rate * rate + 1j * slow)
    turned = G_MPS2 * np.exp(1j * angle)
    gravity = turned * (1.0 - 1j * k * change)
    gain, skew = 1.0 + q[4], complex(q[5], q[6])
    bias, lever = complex(q[0], q[1]), complex(q[2], q[3])
    said = gain * gravity + skew * gravity.conj() + lever * by_lever + bias
    by_angle = 1j * gravity
    by_change = -1j * k * turned
    return Predicted(
        angle,
        rate,
        change,
        np.asarray(by_lever, dtype=np.complex128),
        gravity,
        readings.z - said,
        gain * by_angle + skew * by_angle.conj(),
        np.asarray((-2.0 * lever) * rate, dtype=np.complex128),
        gain * by_change + skew * by_change.conj() - 1j * lever,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """Sums of the weighted normal equations, not yet assembled.

    Attributes:
        spline: (4, 4, intervals) J'WJ of the four coefficients of each interval; upper part filled.
        border: (4, nc, intervals) J'W Jq.
        pull: (4, intervals) J'W r.
        constants: (nc, nc) Jq'W Jq.
        constants_pull: (nc,) Jq'W r.
    """

    spline: FloatArray
    border: FloatArray
    pull: FloatArray
    constants: FloatArray
    constants_pull: FloatArray


def accumulate(
    basis: Basis,
    readings: Readings,
    model: Predicted,
    weight: FloatArray,
    rate_correction: tuple[float, float] | None,
    *,
    with_lever: bool = True,
) -> Normal:
    """Weighted sums over the readings of each knot interval.

    Args:
        basis: the spline's basis at the readings.
        readings: what was measured.
        model: the model there.
        weight: (N,) inverse variance of each component of the specific force, robust weights
            included.
        rate_correction: bias n and scale error s of the gyroscope, None without one.
        with_lever: the lever arm is among the unknowns; else its columns are zero.
    """
    root = np.sqrt(weight)
    jacobian = root * (
        model.by_angle * basis.value + model.by_rate * basis.slope + model.by_change * basis.bend
    )
    lever = model.lever if with_lever else np.zeros_like(model.lever)
    mirrored = model.gravity.conj()
    ones = np.ones_like(mirrored)
    columns = root * np.stack(
        [ones, 1j * ones, lever, 1j * lever, model.gravity, mirrored, 1j * mirrored, model.residual]
    )
    # Real and imaginary parts are two measurements: side by side they make every sum a real
    # product.
    rows = np.concatenate([jacobian.real, jacobian.imag], axis=-1).reshape(ORDER, 2, -1)
    sides = np.concatenate([columns.real, columns.imag], axis=-1).reshape(len(columns), 2, -1)
    nc = readings.constants
    spline = np.zeros((ORDER, ORDER, basis.intervals))
    for a in range(ORDER):
        spline[a, a:] = basis.per_interval(np.einsum("sn,bsn->bn", rows[a], rows[a:]))
    mixed = np.stack(
        [basis.per_interval(np.einsum("sn,ksn->kn", rows[a], sides)) for a in range(ORDER)]
    )
    flat = sides.reshape(len(columns), -1)
    gram = flat @ flat.T
    border = np.zeros((ORDER, nc, basis.intervals))
    border[:, :ACCEL_CONSTANTS] = mixed[:, :ACCEL_CONSTANTS]
    pull = mixed[:, -1].copy()
    constants, constants_pull = np.zeros((nc, nc)), np.zeros(nc)
    constants[:ACCEL_CONSTANTS, :ACCEL_CONSTANTS] = gram[:-1, :-1]
    constants_pull[:ACCEL_CONSTANTS] = gram[:-1, -1]
    normal = Normal(spline, border, pull, constants, constants_pull)
    if readings.rate_radps is not None and rate_correction is not None:
        _add_gyroscope(normal, basis, readings, model.rate, rate_correction)
    return normal


def _add_gyroscope(
    normal: Normal,
    basis: Basis,
    readings: Readings,
    rate: FloatArray,
    rate_correction: tuple[float, float],
) -> None:
    assert readings.rate_radps is not None  # noqa: S101 - the caller has looked; for the type checker
    bias, scale = rate_correction
    residual = readings.rate_radps - (1.0 + scale) * rate - bias
    size = np.abs(residual) / readings.rate_sd_radps
    robust = np.minimum(1.0, _HUBER_GYRO / np.maximum(size, _HUBER_GYRO))
    root = np.sqrt(robust * readings.trusted) / readings.rate_sd_radps
    rows = root * (1.0 + scale) * basis.slope
    sides = np.stack([root, root * rate, root * residual])
    for a in range(ORDER):
        normal.spline[a, a:] += basis.per_interval(rows[a] * rows[a:])
        mixed = basis.per_interval(rows[a] * sides)
        normal.border[a, ACCEL_CONSTANTS:] += mixed[:GYRO_CONSTANTS]
        normal.pull[a] += mixed[-1]
    gram = sides @ sides.T
    normal.constants[ACCEL_CONSTANTS:, ACCEL_CONSTANTS:] += gram[:-1, :-1]
    normal.constants_pull[ACCEL_CONSTANTS:] += gram[:-1, -1]


@dataclass(frozen=True, slots=True, eq=False)
class Bordered:
    """The assembled system [A C; C' D] [dc; dq] = [f; h].

    Attributes:
        band: (4, n) A in LAPACK's lower banded storage.
        border: (n, nc) C.
        pull: (n,) f.
        constants: (nc, nc) D.
        constants_pull: (nc,) h.
    """

    band: FloatArray
    border: FloatArray
    pull: FloatArray
    constants: FloatArray
    constants_pull: FloatArray


def assemble(
    normal: Normal, c: FloatArray, prior_row: FloatArray, prior_weight: FloatArray
) -> Bordered:
    """Spread the intervals' sums over the coefficients and add the process prior.

    Args:
        normal: sums over the readings.
        c: (n,) coefficients the model was linearised at.
        prior_row: (4,) row e of the process prior: e.c is white noise.
        prior_weight: (intervals,) its inverse variance.
    """
    count = len(c)
    intervals = count - ORDER + 1
    surprise = sum(prior_row[a] * c[a : a + intervals] for a in range(ORDER))
    band = np.zeros((ORDER, count))
    border = np.zeros((count, normal.border.shape[1]))
    pull = np.zeros(count)
    for a in range(ORDER):
        for b in range(a, ORDER):
            band[b - a, a : a + intervals] += (
                normal.spline[a, b] + (prior_row[a] * prior_row[b]) * prior_weight
            )
        border[a : a + intervals] += normal.border[a].T
        pull[a : a + intervals] += normal.pull[a] - prior_row[a] * prior_weight * surprise
    return Bordered(band, border, pull, normal.constants, normal.constants_pull)
