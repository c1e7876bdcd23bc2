"""How the thing that carries the sensor moves through space: the common currency of all effects.

World axes: x along the way of rolling, y along the axle, z away from the surface. Body axes: at
angle 0 the first points along z, the second along x, the third along the axle; a positive turn
about it rolls towards +x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from firmware_sim.kinematics import Truth
    from firmware_sim.trace import FloatArray

BoolArray: TypeAlias = NDArray[np.bool_]

GRAVITY_MPS2 = 9.80665
AT_ANGLE_0 = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
"""Body axes, as columns, in the world."""


@dataclass(frozen=True, slots=True, eq=False)
class BodyMotion:
    """A rigid body at n instants, evenly spaced.

    Attributes:
        rate_hz: instants per second.
        to_world: (n, 3, 3) its columns are the body's axes in the world.
        accel_mps2: (n, 3) acceleration of its centre in the world.
        rate_radps: (n, 3) angular rate in the body's axes.
        rate_change_radps2: (n, 3) its derivative in the body's axes.
        up: (3,) unit vector against gravity in the world.
        speed_mps: (n,) how fast the tissue is passed, signed.
        rolling: (n,) whether that speed is the roller's surface speed where the sensor sits.
    """

    rate_hz: float
    to_world: FloatArray
    accel_mps2: FloatArray
    rate_radps: FloatArray
    rate_change_radps2: FloatArray
    up: FloatArray
    speed_mps: FloatArray
    rolling: BoolArray

    def __len__(self) -> int:
        return len(self.speed_mps)


def rolling_cylinder(truth: Truth, rate_hz: float) -> BodyMotion:
    """A cylinder that rolls on a level floor without slip."""
    n = len(truth.t_s)
    cos, sin = np.cos(truth.angle_rad), np.sin(truth.angle_rad)
    to_world = np.zeros((n, 3, 3))
    to_world[:, 2, 0], to_world[:, 0, 0] = cos, sin
    to_world[:, 2, 1], to_world[:, 0, 1] = -sin, cos
    to_world[:, 1, 2] = 1.0
    accel, rate, change = (np.zeros((n, 3)) for _ in range(3))
    accel[:, 0] = truth.radius_m * truth.accel_radps2
    rate[:, 2], change[:, 2] = truth.rate_radps, truth.accel_radps2
    return BodyMotion(
        rate_hz=rate_hz,
        to_world=to_world,
        accel_mps2=accel,
        rate_radps=rate,
        rate_change_radps2=change,
        up=np.array([0.0, 0.0, 1.0]),
        speed_mps=truth.surface_speed_mps,
        rolling=np.ones(n, dtype=bool),
    )


def angular_rate_of(to_world: FloatArray, rate_hz: float) -> FloatArray:
    """(n, 3) angular rate in the body's axes, by central differences of the orientation."""
    change = np.gradient(to_world, 1 / rate_hz, axis=0)
    skew = np.einsum("nji,njk->nik", to_world, change)
    return np.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], axis=1)


def derivative(values: FloatArray, rate_hz: float) -> FloatArray:
    """(n, ...) by central differences along the first axis."""
    return np.asarray(np.gradient(values, 1 / rate_hz, axis=0))
