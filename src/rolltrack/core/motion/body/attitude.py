"""Readings -> horizontal and vertical acceleration, in a frame that does not turn with the body.

With a gyroscope the orientation is integrated. Gravity stays where it is, so what the measured
force drifts by, over longer than people move to and fro, is the gyroscope's bias. Without one the
frame is the sensor's own, and how the body leans stays in the acceleration as an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

_START_SD_RADPS, _START_SD_RAD = 0.005, 0.05
"""The median rate is the bias but for this much, and for this much leaning over the stretch."""
_MOVES_MPS2, _MOVES_S = 1.0, 2.0
"""Size and duration of what people do, against which the drift must show."""
_ROWS = 1000
_ROUNDS = 2
_W = 3
_LEAST_MPS2 = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class RateBias:
    """What is known of a gyroscope's bias.

    Attributes:
        mean_radps: (3,) best guess.
        precision: (3, 3) inverse covariance.
    """

    mean_radps: FloatArray
    precision: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A stretch in level axes: two horizontal ones and up.

    Attributes:
        accel_mps2: (n, 3) acceleration, gravity taken off.
        axes: (n, 3, 3) level axes, as columns, in the sensor's.
        bias: what the stretch says of the gyroscope's bias, on top of what was known; None without.
    """

    accel_mps2: FloatArray
    axes: FloatArray
    bias: RateBias | None


def level(
    t_s: FloatArray, force_mps2: FloatArray, rate_radps: FloatArray | None, known: RateBias | None
) -> Level:
    """Turn readings into level axes.

    Args:
        t_s: (n,) times.
        force_mps2: (n, 3) specific force.
        rate_radps: (n, 3) angular rate, or None.
        known: of the gyroscope, from before.
    """
    if rate_radps is None:
        to_frame = np.broadcast_to(np.eye(3), (len(t_s), 3, 3))
        bias = None
    else:
        to_frame, bias = _orientation(t_s, force_mps2, rate_radps, known)
    force = np.einsum("nij,nj->ni", to_frame, force_mps2)
    gravity = force.mean(axis=0)
    axes = _level_axes(gravity)
    accel = (force - gravity) @ axes
    return Level(accel, np.einsum("nji,jk->nik", to_frame, axes), bias)


def _orientation(
    t_s: FloatArray, force_mps2: FloatArray, rate_radps: FloatArray, known: RateBias | None
) -> tuple[FloatArray, RateBias]:
    """(n, 3, 3) sensor axes to those at the start, and the bias found on the way."""
    duration_s = float(t_s[-1] - t_s[0])
    start_sd = _START_SD_RADPS + _START_SD_RAD / duration_s
    start = RateBias(np.median(rate_radps, axis=0), np.eye(3) / start_sd**2)
    prior = start if known is None else _both(start, known)
    bias = prior.mean_radps
    some = slice(None, None, max(1, len(t_s) // _ROWS))
    steps_s = np.diff(t_s, prepend=t_s[0])
    to_frame = turned(t_s, rate_radps - bias)
    for _ in range(_ROUNDS):
        force = np.einsum("nij,nj->ni", to_frame, force_mps2)
        gravity = force.mean(axis=0)
        # A bias too small by b turns the frame by the integral of b, and gravity against it.
        leant = np.cumsum(to_frame * steps_s[:, None, None], axis=0)[some]
        columns = np.cross(leant, gravity, axisa=1, axisb=0, axisc=1)
        columns = columns - columns.mean(axis=0)
        rows = columns.reshape(-1, 3)
        off = (force[some] - gravity).reshape(-1)
        each_mps2 = _MOVES_MPS2 * np.sqrt(max(1.0, len(columns) * _MOVES_S / duration_s))
        information = rows.T @ rows / each_mps2**2
        pull = rows.T @ off / each_mps2**2 + prior.precision @ (prior.mean_radps - bias)
        bias = bias + np.linalg.solve(information + prior.precision, pull)
        to_frame = turned(t_s, rate_radps - bias)
    return to_frame, RateBias(bias, information)


def _both(a: RateBias, b: RateBias) -> RateBias:
    precision = a.precision + b.precision
    mean = np.linalg.solve(precision, a.precision @ a.mean_radps + b.precision @ b.mean_radps)
    return RateBias(np.asarray(mean), precision)


def turned(t_s: FloatArray, rate_radps: FloatArray) -> FloatArray:
    """(n, 3, 3) sensor axes to the axes at the first instant; products by doubling."""
    angle = (rate_radps[1:] + rate_radps[:-1]) / 2 * np.diff(t_s)[:, None]
    size = np.linalg.norm(angle, axis=1)
    turn = np.empty((len(t_s), 4))
    turn[0] = 0.0, 0.0, 0.0, 1.0
    turn[1:, :_W] = angle * (0.5 * np.sinc(size / (2 * np.pi)))[:, None]
    turn[1:, _W] = np.cos(size / 2)
    span = 1
    while span < len(turn):
        turn[span:] = _product(turn[:-span], turn[span:])
        span *= 2
    x, y, z, w = turn.T / np.linalg.norm(turn, axis=1)
    matrix = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(matrix), 2, 0)


def _product(a: FloatArray, b: FloatArray) -> FloatArray:
    """(n, 4) quaternions, vector first: turn by b, then by a."""
    ax, ay, az, aw = a.T
    bx, by, bz, bw = b.T
    return np.column_stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ]
    )


def _level_axes(gravity: FloatArray) -> FloatArray:
    """(3, 3) two horizontal axes and up, as columns."""
    up = gravity / max(float(np.linalg.norm(gravity)), _LEAST_MPS2)
    least = np.eye(3)[np.argmin(np.abs(up))]
    first = np.cross(up, least)
    first /= np.linalg.norm(first)
    return np.column_stack([first, np.cross(up, first), up])
