"""What an IMU inside a rolling cylinder reads.

World axes: x along the floor, z up, y along the axle, so that a positive turn about y moves the
roller towards +x. Written as complex numbers z + ix in the plane across the axle, a turn by theta
multiplies by exp(i theta).

Without slip the centre accelerates by R alpha along x. Its specific force is g + i R alpha in the
world and

    exp(-i theta) (g + i R alpha)

in the body: gravity turns backwards in the turning body. A sensor at the body-fixed place r off
the axle feels r (i alpha - omega^2) on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
import numpy as np

if TYPE_CHECKING:
    from firmware_sim.kinematics import Truth
    from firmware_sim.trace import FloatArray

GRAVITY_MPS2 = 9.80665

Axle: TypeAlias = Literal["+x", "-x", "+y", "-y", "+z", "-z"]


class Mounting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and how the sensor sits in the roller.

    Attributes:
        axle: the sensor axis along the axle; a positive turn about it is direction +1.
        phase_rad: angle of the sensor about the axle; 0 starts with its first in-plane axis up.
        lever_m: place of the sensor off the axle, along its first and second in-plane axis.
        tilt_rad: how far the sensor is turned out of the axle, about each in-plane axis.
    """

    axle: Axle = "+z"
    phase_rad: float = 0.0
    lever_m: tuple[float, float] = (0.0, 0.0)
    tilt_rad: tuple[float, float] = (0.0, 0.0)


class Flaws(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What makes a sensor real; standard deviations of what the dice draw, zero for a perfect one.

    Attributes:
        accel_bias_mps2: constant offset of each axis.
        accel_gain: relative scale error of each axis.
        accel_noise_mps2: white noise of each reading.
        gyro_bias_radps: constant offset of each axis.
        gyro_gain: relative scale error, common to the three axes.
        gyro_noise_radps: white noise of each reading.
        vibration_mps2: shaking of each axis at 0.1 m/s or faster, in proportion below.
        tremor_mps2: shaking that never stops, from the body that lies on the roller.
    """

    accel_bias_mps2: float = 0.0
    accel_gain: float = 0.0
    accel_noise_mps2: float = 0.0
    gyro_bias_radps: float = 0.0
    gyro_gain: float = 0.0
    gyro_noise_radps: float = 0.0
    vibration_mps2: float = 0.0
    tremor_mps2: float = 0.0


VIBRATION_BAND_HZ = (2.0, 15.0)
FULL_VIBRATION_SPEED_MPS = 0.1


def specific_force(truth: Truth, mounting: Mounting) -> FloatArray:
    """(n, 3) specific force of a perfect accelerometer, in the sensor's axes."""
    force = np.exp(-1j * truth.angle_rad) * (
        GRAVITY_MPS2 + 1j * truth.radius_m * truth.accel_radps2
    )
    to_sensor = np.exp(1j * mounting.phase_rad)
    lever = complex(*mounting.lever_m)
    in_plane = force * to_sensor + lever * (1j * truth.accel_radps2 - truth.rate_radps**2)
    along_axle = np.zeros_like(truth.t_s)
    return np.column_stack([in_plane.real, in_plane.imag, along_axle]) @ _to_sensor(mounting).T


def angular_rate(truth: Truth, mounting: Mounting) -> FloatArray:
    """(n, 3) angular rate of a perfect gyroscope, in the sensor's axes."""
    still = np.zeros_like(truth.t_s)
    return np.column_stack([still, still, truth.rate_radps]) @ _to_sensor(mounting).T


def read_accelerometer(
    truth: Truth, mounting: Mounting, flaws: Flaws, dice: np.random.Generator
) -> FloatArray:
    """(n, 3) what a real accelerometer reads, shaken and with its flaws."""
    shape = (len(truth.t_s), 3)
    amplitude_mps2 = flaws.tremor_mps2 + flaws.vibration_mps2 * np.minimum(
        np.abs(truth.surface_speed_mps) / FULL_VIBRATION_SPEED_MPS, 1.0
    )
    shaking = amplitude_mps2[:, None] * _band_noise(truth.t_s, dice)
    gain = 1.0 + dice.normal(0.0, flaws.accel_gain, 3)
    bias = dice.normal(0.0, flaws.accel_bias_mps2, 3)
    noise = dice.normal(0.0, flaws.accel_noise_mps2, shape)
    return gain * (specific_force(truth, mounting) + shaking) + bias + noise


def read_gyroscope(
    truth: Truth, mounting: Mounting, flaws: Flaws, dice: np.random.Generator
) -> FloatArray:
    """(n, 3) what a real gyroscope reads, with its flaws."""
    gain = 1.0 + dice.normal(0.0, flaws.gyro_gain)
    bias = dice.normal(0.0, flaws.gyro_bias_radps, 3)
    noise = dice.normal(0.0, flaws.gyro_noise_radps, (len(truth.t_s), 3))
    return gain * angular_rate(truth, mounting) + bias + noise


def _to_sensor(mounting: Mounting) -> FloatArray:
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


def _band_noise(t_s: FloatArray, dice: np.random.Generator) -> FloatArray:
    """(n, 3) noise of unit standard deviation within the vibration band."""
    frequency_hz = np.fft.rfftfreq(len(t_s), float(np.median(np.diff(t_s))))
    outside = (frequency_hz < VIBRATION_BAND_HZ[0]) | (frequency_hz > VIBRATION_BAND_HZ[1])
    spectrum = np.fft.rfft(dice.normal(size=(len(t_s), 3)), axis=0)
    spectrum[outside] = 0.0
    noise: FloatArray = np.fft.irfft(spectrum, len(t_s), axis=0)
    deviation: FloatArray = np.maximum(noise.std(axis=0), np.finfo(float).tiny)
    return noise / deviation
