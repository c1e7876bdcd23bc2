"""The rolling model, linearised: banded in the spline, bordered by the constants.

The angle theta(t) of the roller is a cubic B-spline with coefficients c. In the plane across the
axle, seen so that the phase of gravity runs with the roller, an accelerometer at p from the axle
with bias b reads

    z = (1 + e) z0 + (d + i x) conj(z0) - p (w^2 + i w') + b,    z0 = g exp(i theta) (1 - i u k w'),

w and w' being the derivatives of theta, k = R/g, u the ground (1: rolling without slip on a level
floor, see `rolltrack.core.motion.ground`), e a common and d, x a differential gain error. A
gyroscope reads (1 + s) w + n. The constants q = [Re b, Im b, Re p, Im p, e, d, x] and, with a
gyroscope, [n, s] are the same all along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.motion.ground import LEVEL
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
        ground: how the roller's own acceleration lies to gravity.
    """

    z: ComplexArray
    rate_radps: FloatArray | None
    k_s2: float
    period_s: float
    rate_sd_radps: float | FloatArray = 0.003
    trusted: float | FloatArray = 1.0
    ground: complex = LEVEL

    @property
    def constants(self) -> int:
        """How many constants the model has."""
        return ACCEL_CONSTANTS + (0 if self.rate_radps is None else GYRO_CONSTANTS)

    def first(self, count: int) -> Readings:
        """The oldest of them."""
        return self.between(0, count)

    def between(self, start: int, stop: int) -> Readings:
        """Those from one index up to another."""
        rate, sd, trusted = self.rate_radps, self.rate_sd_radps, self.trusted
        return Readings(
            self.z[start:stop],
            None if rate is None else rate[start:stop],
            self.k_s2,
            self.period_s,
            sd[start:stop] if isinstance(sd, np.ndarray) else sd,
            trusted[start:stop] if isinstance(trusted, np.ndarray) else trusted,
            self.ground,
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

    @property
    def aligned(self) -> ComplexArray:
        """(N,) the residual, seen from gravity: along it, and across as the imaginary part."""
        return np.asarray(self.residual * np.exp(-1j * self.angle))

    def first(self, count: int) -> Predicted:
        """The same at the oldest of the times."""
        return Predicted(
            self.angle[:count],
            self.rate[:count],
            self.change[:count],
            self.lever[:count],
            self.gravity[:count],
            self.residual[:count],
            self.by_angle[:count],
            self.by_rate[:count],
            self.by_change[:count],
        )


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
    gravity = turned * (1.0 - 1j * readings.ground * k * change)
    gain, skew = 1.0 + q[4], complex(q[5], q[6])
    bias, lever = complex(q[0], q[1]), complex(q[2], q[3])
    said = gain * gravity + skew * gravity.conj() + lever * by_lever + bias
    by_angle = 1j * gravity
    by_change = -1j * readings.ground * k * turned
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
        mixed: (4, 4 + nc + 1, intervals) J'W [J Jq r]: what the four coefficients of each interval
            have to do with each other, with the constants, and with the residuals.
        constants: (nc, nc) Jq'W Jq.
        constants_pull: (nc,) Jq'W r.
    """

    mixed: FloatArray
    constants: FloatArray
    constants_pull: FloatArray


def accumulate(
    basis: Basis,
    readings: Readings,
    model: Predicted,
    weight: FloatArray,
    rate_correction: tuple[float, float] | None,
    lever: FloatArray | None = None,
) -> Normal:
    """Weighted sums over the readings of each knot interval.

    Args:
        basis: the spline's basis at the readings.
        readings: what was measured.
        model: the model there.
        weight: (N,) inverse variance of each component of the specific force, robust weights
            included.
        rate_correction: bias n and scale error s of the gyroscope, None without one.
        lever: (2, 2, N) columns of the lever arm if it is among the unknowns, see
            `rolltrack.core.motion.lever`; else they are zero.
    """
    root = np.sqrt(weight)
    sides = _columns(basis, model, root, lever)
    products = np.einsum("asn,ksn->akn", sides[:ORDER], sides)
    flat = sides[ORDER:].reshape(len(sides) - ORDER, -1)
    gram = flat @ flat.T
    if readings.rate_radps is None or rate_correction is None:
        return Normal(basis.per_interval(products), gram[:-1, :-1], gram[:-1, -1])
    nc = readings.constants
    widened = np.zeros((ORDER, ORDER + nc + 1, products.shape[-1]))
    widened[:, : ORDER + ACCEL_CONSTANTS] = products[:, :-1]
    widened[:, -1] = products[:, -1]
    constants, constants_pull = np.zeros((nc, nc)), np.zeros(nc)
    constants[:ACCEL_CONSTANTS, :ACCEL_CONSTANTS] = gram[:-1, :-1]
    constants_pull[:ACCEL_CONSTANTS] = gram[:-1, -1]
    _add_gyroscope(
        widened, (constants, constants_pull), basis, readings, model.rate, rate_correction
    )
    return Normal(basis.per_interval(widened), constants, constants_pull)


def _columns(
    basis: Basis, model: Predicted, root: FloatArray, lever: FloatArray | None
) -> FloatArray:
    """(12, 2, N) weighted [J Jq r]; real and imaginary parts are two measurements.

    Side by side they make every sum a real product.
    """
    columns = np.zeros((ORDER + ACCEL_CONSTANTS + 1, 2, len(root)))
    by = root * np.array([model.by_angle, model.by_rate, model.by_change])
    np.einsum("kn,kan->an", by.real, basis.functions, out=columns[:ORDER, 0])
    np.einsum("kn,kan->an", by.imag, basis.functions, out=columns[:ORDER, 1])
    bias, arm, gain, skew = 4, 6, 8, 9
    columns[bias, 0] = columns[bias + 1, 1] = root
    if lever is not None:
        np.multiply(root, lever, out=columns[arm : arm + 2])
    gravity = root * model.gravity
    columns[gain, 0] = columns[skew, 0] = columns[skew + 1, 1] = gravity.real
    columns[gain, 1] = columns[skew + 1, 0] = gravity.imag
    columns[skew, 1] = -gravity.imag
    residual = root * model.residual
    columns[-1, 0], columns[-1, 1] = residual.real, residual.imag
    return columns


def _add_gyroscope(
    products: FloatArray,
    constants: tuple[FloatArray, FloatArray],
    basis: Basis,
    readings: Readings,
    rate: FloatArray,
    rate_correction: tuple[float, float],
) -> None:
    """Add to products (4, 4 + nc + 1, N) of each reading, and to the constants' own sums."""
    assert readings.rate_radps is not None  # noqa: S101 - the caller has looked; for the type checker
    bias, scale = rate_correction
    residual = readings.rate_radps - (1.0 + scale) * rate - bias
    size = np.abs(residual) / readings.rate_sd_radps
    robust = np.minimum(1.0, _HUBER_GYRO / np.maximum(size, _HUBER_GYRO))
    root = np.sqrt(robust * readings.trusted) / readings.rate_sd_radps
    rows = root * (1.0 + scale) * basis.slope
    sides = np.array([root, root * rate, root * residual])
    products[:, :ORDER] += rows[:, np.newaxis] * rows
    products[:, ORDER + ACCEL_CONSTANTS :] += rows[:, np.newaxis] * sides
    gram = sides @ sides.T
    constants[0][ACCEL_CONSTANTS:, ACCEL_CONSTANTS:] += gram[:-1, :-1]
    constants[1][ACCEL_CONSTANTS:] += gram[:-1, -1]


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
    mixed = normal.mixed.copy()
    mixed[:, :ORDER] += (prior_row[:, np.newaxis] * prior_row)[:, :, np.newaxis] * prior_weight
    mixed[:, -1] -= prior_row[:, np.newaxis] * (prior_weight * surprise)
    band = np.zeros((ORDER, count))
    sides = np.zeros((mixed.shape[1] - ORDER, count))
    for a in range(ORDER):
        band[: ORDER - a, a : a + intervals] += mixed[a, a:ORDER]
        sides[:, a : a + intervals] += mixed[a, ORDER:]
    return Bordered(band, sides[:-1].T, sides[-1], normal.constants, normal.constants_pull)
