"""What an accelerometer in a rolling ball reads, and how that depends on the motion.

With u the upward direction in the sensor's axes, u' = -w x u for the angular rate w. Without slip
on a level floor the ball's velocity is -R u' (in the same axes), so the specific force is

    f = g u - R (u'' + |u'|^2 u) - R s (u x u') + b + w x (w x p) + w' x p

with bias b, lever arm p and s the spin about the vertical: the same physics that gives a roller
phi = theta - k theta'', on a sphere. A gyroscope reads (1 + e) w + n with w = u' x u + s u, bias n
and gain e of each axis. Without one the spin is unknown and taken as zero; it acts at right angles
to the velocity, so speed feels it to second order only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.motion.short import dots

if TYPE_CHECKING:
    from rolltrack.core.motion.spline import Basis
    from rolltrack.core.sample import BoolArray, FloatArray

ACCEL_CONSTANTS = 6
GYRO_CONSTANTS = 6
_CYCLES = ((0, 1, 2), (1, 2, 0), (2, 0, 1))
BIAS, LEVER, RATE_BIAS, RATE_GAIN = slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12)


@dataclass(frozen=True, slots=True, eq=False)
class BallReadings:
    """What was measured at N times.

    Attributes:
        force_mps2: (N, 3) specific force.
        rate_radps: (N, 3) angular rate, or None.
        radius_m: of the ball.
        period_s: sampling period.
        clipped: (N,) readings at the end of the sensor's range, which say nothing; None if none is.
    """

    force_mps2: FloatArray
    rate_radps: FloatArray | None
    radius_m: float
    period_s: float
    clipped: BoolArray | None = None

    @property
    def constants(self) -> int:
        """How many constants the model has."""
        return ACCEL_CONSTANTS + (0 if self.rate_radps is None else GYRO_CONSTANTS)


@dataclass(frozen=True, slots=True, eq=False)
class BallModel:
    """The model at N times.

    Rows are what is compared: force (3), length of u (1), angular rate (3) if there is one.

    Attributes:
        up: (3, N) u.
        turn: (3, N) u'.
        change: (3, N) u''.
        residual: (rows, N) measured less said.
        by_motion: (3, rows, 3, N) derivatives by u, u' and u''.
        by_constants: (rows, nc, N) derivatives by the constants.
    """

    up: FloatArray
    turn: FloatArray
    change: FloatArray
    residual: FloatArray
    by_motion: FloatArray
    by_constants: FloatArray


def predict(basis: Basis, c: FloatArray, q: FloatArray, readings: BallReadings) -> BallModel:
    """Evaluate at coefficients c (n, 3) and constants q (nc,)."""
    up, turn, change = basis.evaluate(c)
    radius_m, gyro = readings.radius_m, readings.rate_radps
    n, nc = up.shape[1], readings.constants
    rows = 4 if gyro is None else 7
    residual = np.empty((rows, n))
    by_motion, by_constants = np.zeros((3, rows, 3, n)), np.zeros((rows, nc, n))
    model = BallModel(up, turn, change, residual, by_motion, by_constants)

    across = _crosses(up, turn)
    rate = -across
    radially = G_MPS2 - radius_m * dots(turn, turn)
    said = radially * up - radius_m * change
    by_up, by_turn, by_change = by_motion[:, :3]
    by_turn[:] = up[:, None] * (-2 * radius_m * turn)
    if gyro is not None:
        measured = (gyro.T - q[RATE_BIAS, None]) / (1.0 + q[RATE_GAIN, None])
        spin = dots(measured, up)
        rate += spin * up
        said -= radius_m * spin * across
        _add_cross(by_up, radius_m * spin * turn)
        _add_cross(by_turn, -radius_m * spin * up)
        _compare_rate(model, measured, rate, spin)
    # w x (w x p) + w' x p as a matrix times p.
    arms = by_constants[:3, LEVER]
    arms[:] = rate[:, None] * rate
    _add_cross(arms, _crosses(change, up))
    turning = dots(rate, rate)
    for i in range(3):
        arms[i, i] -= turning
        by_up[i, i] += radially
        by_change[i, i] = -radius_m
        by_constants[i, BIAS.start + i] = 1.0
    said += q[BIAS, None] + np.einsum("ijn,j->in", arms, q[LEVER])
    residual[:3] = readings.force_mps2.T - said
    residual[3] = 1.0 - dots(up, up)
    by_motion[0, 3] = 2 * up
    return model


def _compare_rate(
    model: BallModel, measured: FloatArray, rate: FloatArray, spin: FloatArray
) -> None:
    """Fill in the rows of the angular rate: measured (3, N), said (3, N) with a spin (N,)."""
    model.residual[4:] = measured - rate
    by_up, by_turn, _ = model.by_motion[:, 4:]
    _add_cross(by_up, model.turn)
    _add_cross(by_turn, -model.up)
    # What lies along u is the spin, which is read off, not explained.
    level = model.by_constants[4:, RATE_BIAS]
    level[:] = -model.up[:, None] * model.up
    for i in range(3):
        by_up[i, i] += spin
        level[i, i] += 1.0
    np.multiply(level, measured, out=model.by_constants[4:, RATE_GAIN])


def _crosses(a: FloatArray, b: FloatArray) -> FloatArray:
    """(3, N) vector products of vectors (3, N)."""
    product = np.empty_like(a)
    for i, j, k in _CYCLES:
        product[i] = a[j] * b[k] - a[k] * b[j]
    return product


def _add_cross(matrices: FloatArray, v: FloatArray) -> None:
    """Add v x, of vectors (3, N), to matrices (3, 3, N)."""
    for i, j, k in _CYCLES:
        matrices[i, j] -= v[k]
        matrices[j, i] += v[k]
