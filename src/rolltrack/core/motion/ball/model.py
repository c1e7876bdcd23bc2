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

if TYPE_CHECKING:
    from rolltrack.core.motion.spline import Basis
    from rolltrack.core.sample import FloatArray

ACCEL_CONSTANTS = 6
GYRO_CONSTANTS = 6
BIAS, LEVER, RATE_BIAS, RATE_GAIN = slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12)


@dataclass(frozen=True, slots=True, eq=False)
class BallReadings:
    """What was measured at N times.

    Attributes:
        force_mps2: (N, 3) specific force.
        rate_radps: (N, 3) angular rate, or None.
        radius_m: of the ball.
        period_s: sampling period.
    """

    force_mps2: FloatArray
    rate_radps: FloatArray | None
    radius_m: float
    period_s: float

    @property
    def constants(self) -> int:
        """How many constants the model has."""
        return ACCEL_CONSTANTS + (0 if self.rate_radps is None else GYRO_CONSTANTS)


@dataclass(frozen=True, slots=True, eq=False)
class BallModel:
    """The model at N times.

    Attributes:
        up: (N, 3) u.
        turn: (N, 3) u'.
        change: (N, 3) u''.
        residual: (N, rows) measured less said: force (3), length of u (1), angular rate (3).
        by_motion: (N, rows, 9) derivatives by u, u' and u''.
        by_constants: (N, rows, nc) derivatives by the constants.
    """

    up: FloatArray
    turn: FloatArray
    change: FloatArray
    residual: FloatArray
    by_motion: FloatArray
    by_constants: FloatArray


def predict(basis: Basis, c: FloatArray, q: FloatArray, readings: BallReadings) -> BallModel:
    """Evaluate at coefficients c (n, 3) and constants q (nc,)."""
    parts = [basis.evaluate(c[:, axis]) for axis in range(3)]
    up, turn, change = (np.stack(part, axis=1) for part in zip(*parts, strict=True))
    radius_m, gyro = readings.radius_m, readings.rate_radps
    n, nc = len(up), readings.constants
    rows = 4 if gyro is None else 7
    spin, measured = np.zeros(n), None
    if gyro is not None:
        measured = (gyro - q[RATE_BIAS]) / (1.0 + q[RATE_GAIN])
        spin = np.einsum("ni,ni->n", measured, up)
    power = np.einsum("ni,ni->n", turn, turn)
    up_cross = _cross_matrix(up)
    across = np.einsum("nij,nj->ni", up_cross, turn)
    rate = spin[:, None] * up - across
    rate_change = -np.einsum("nij,nj->ni", up_cross, change)
    identity = np.eye(3)
    # w x (w x p) + w' x p as a matrix times p.
    arms = rate[:, :, None] * rate[:, None, :] + _cross_matrix(rate_change)
    arms -= np.einsum("ni,ni->n", rate, rate)[:, None, None] * identity
    said = (G_MPS2 - radius_m * power)[:, None] * up - radius_m * change
    said -= radius_m * spin[:, None] * across
    said += q[BIAS] + arms @ q[LEVER]

    by_motion = np.zeros((n, rows, 9))
    by_motion[:, :3, :3] = (G_MPS2 - radius_m * power)[:, None, None] * identity
    by_motion[:, :3, :3] += radius_m * spin[:, None, None] * _cross_matrix(turn)
    by_motion[:, :3, 3:6] = -2 * radius_m * up[:, :, None] * turn[:, None, :]
    by_motion[:, :3, 3:6] -= radius_m * spin[:, None, None] * up_cross
    by_motion[:, :3, 6:] = -radius_m * identity
    by_motion[:, 3, :3] = 2 * up
    by_constants = np.zeros((n, rows, nc))
    by_constants[:, :3, BIAS] = identity
    by_constants[:, :3, LEVER] = arms
    residual = np.empty((n, rows))
    residual[:, :3] = readings.force_mps2 - said
    residual[:, 3] = 1.0 - np.einsum("ni,ni->n", up, up)
    if gyro is not None and measured is not None:
        residual[:, 4:] = measured - rate
        by_motion[:, 4:, :3] = _cross_matrix(turn) + spin[:, None, None] * identity
        by_motion[:, 4:, 3:6] = -up_cross
        # What lies along u is the spin, which is read off, not explained.
        level = identity - up[:, :, None] * up[:, None, :]
        by_constants[:, 4:, RATE_BIAS.start :] = np.dstack([level, level * measured[:, None, :]])
    return BallModel(up, turn, change, residual, by_motion, by_constants)


def _cross_matrix(vectors: FloatArray) -> FloatArray:
    """(N, 3, 3) matrices v x, of vectors (N, 3)."""
    matrices = np.zeros((len(vectors), 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        matrices[:, i, j], matrices[:, j, i] = -vectors[:, k], vectors[:, k]
    return matrices
