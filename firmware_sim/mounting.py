"""What a perfect IMU fixed to a moving body reads, wherever and however it sits there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
import numpy as np

from firmware_sim.limits import Angle, NotNegative, Number
from firmware_sim.motion import GRAVITY_MPS2

if TYPE_CHECKING:
    from firmware_sim.motion import BodyMotion
    from firmware_sim.trace import FloatArray

Axle: TypeAlias = Literal["+x", "-x", "+y", "-y", "+z", "-z"]


class Scatter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What differs from roller to roller; the dice choose every direction.

    Attributes:
        any_phase: the sensor's angle about the axle is anything.
        lever_m: distance from the axle that is added to the mounting's.
        tilt_rad: angle out of the axle that is added to the mounting's.
    """

    any_phase: bool = False
    lever_m: NotNegative = 0.0
    tilt_rad: Angle = 0.0


class Mounting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and how the sensor sits in the roller.

    Attributes:
        axle: the sensor axis along the axle; a positive turn about it is direction +1.
        phase_rad: angle of the sensor about the axle; 0 starts with its first in-plane axis up.
        lever_m: place of the sensor off the axle, along its first and second in-plane axis.
        tilt_rad: how far the sensor is turned out of the axle, about each in-plane axis.
        scatter: what the dice add.
    """

    axle: Axle = "+z"
    phase_rad: Angle = 0.0
    lever_m: tuple[Number, Number] = (0.0, 0.0)
    tilt_rad: tuple[Angle, Angle] = (0.0, 0.0)
    scatter: Scatter = Scatter()

    def settle(self, dice: np.random.Generator) -> Mounting:
        """One roller's mounting: the dice have been thrown."""
        phase, lever, tilt = dice.uniform(-np.pi, np.pi, 3)
        scatter = self.scatter
        return Mounting(
            axle=self.axle,
            phase_rad=self.phase_rad + (phase if scatter.any_phase else 0.0),
            lever_m=_add(self.lever_m, scatter.lever_m, lever),
            tilt_rad=_add(self.tilt_rad, scatter.tilt_rad, tilt),
        )


def specific_force(motion: BodyMotion, mounting: Mounting) -> FloatArray:
    """(n, 3) specific force at the sensor, in its axes.

    Force of the centre, plus what a place r off it feels: alpha x r + omega x (omega x r).
    """
    to_sensor = _to_sensor(mounting)
    along_world = motion.accel_mps2 + GRAVITY_MPS2 * motion.up
    force = np.einsum("nji,nj->ni", motion.to_world, along_world) @ to_sensor.T
    lever = _axes(mounting) @ np.array([*mounting.lever_m, 0.0])
    if lever.any():
        rate, change = motion.rate_radps @ to_sensor.T, motion.rate_change_radps2 @ to_sensor.T
        force += np.cross(change, lever) + np.cross(rate, np.cross(rate, lever))
    return np.asarray(force)


def angular_rate(motion: BodyMotion, mounting: Mounting) -> FloatArray:
    """(n, 3) angular rate in the sensor's axes."""
    return np.asarray(motion.rate_radps @ _to_sensor(mounting).T)


def _add(place: tuple[float, float], size: float, angle_rad: float) -> tuple[float, float]:
    return place[0] + size * float(np.cos(angle_rad)), place[1] + size * float(np.sin(angle_rad))


def _to_sensor(mounting: Mounting) -> FloatArray:
    """(3, 3) matrix from the body's axes to the sensor's."""
    return np.asarray(_axes(mounting) @ _turn(2, mounting.phase_rad))


def _axes(mounting: Mounting) -> FloatArray:
    """(3, 3) matrix from (first in-plane axis, second, axle) to the sensor's x, y, z."""
    axis = "xyz".index(mounting.axle[1])
    first, second = (axis + 1) % 3, (axis + 2) % 3
    if mounting.axle[0] == "-":
        first, second = second, first
    matrix = np.zeros((3, 3))
    matrix[first, 0] = matrix[second, 1] = 1.0
    matrix[axis, 2] = 1.0 if mounting.axle[0] == "+" else -1.0
    return matrix @ _turn(0, mounting.tilt_rad[0]) @ _turn(1, mounting.tilt_rad[1])


def _turn(axis: int, angle_rad: float) -> FloatArray:
    """(3, 3) right-handed turn about one coordinate axis."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix
