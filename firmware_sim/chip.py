"""What an IMU chip makes of the truth: filter, sample, bias, gain, noise, full scale, bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
import numpy as np
from scipy.signal import butter, sosfiltfilt

from firmware_sim.limits import NotNegative, Positive, Share
from firmware_sim.motion import GRAVITY_MPS2

if TYPE_CHECKING:
    from firmware_sim.trace import FloatArray

Bits: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=32)]

_FILTER_SHARE = 0.42
"""Corner of the chip's low-pass, as share of its output rate."""


class Accelerometer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An accelerometer's data sheet; errors given as limits are drawn evenly between -x and +x.

    Attributes:
        bias_mps2: limit of each axis's offset.
        gain: limit of each axis's relative scale error.
        cross_axis: limit of what each axis reads of each other one, as a share.
        noise_mps2_rthz: noise density, in m/s2 per root hertz.
        full_scale_g: readings beyond are cut off.
        bits: of one reading; 0 does not round.
    """

    bias_mps2: NotNegative = 0.0
    gain: Share = 0.0
    cross_axis: Share = 0.0
    noise_mps2_rthz: NotNegative = 0.0
    full_scale_g: Positive = 8.0
    bits: Bits = 0

    def read(
        self, truth: FloatArray, rate_hz: float, every: int, dice: np.random.Generator
    ) -> FloatArray:
        """(m, 3) readings of a specific force (n, 3) known at `every` times the rate."""
        full_scale = self.full_scale_g * GRAVITY_MPS2
        errors = _Errors(self.bias_mps2, self.gain, self.cross_axis, self.noise_mps2_rthz)
        return _read(truth, rate_hz, every, errors, full_scale, self.bits, dice)


class Gyroscope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A gyroscope's data sheet, as `Accelerometer`.

    Attributes:
        bias_radps: limit of each axis's offset.
        gain: limit of each axis's relative scale error.
        cross_axis: limit of what each axis reads of each other one, as a share.
        noise_radps_rthz: noise density, in rad/s per root hertz.
        full_scale_dps: readings beyond are cut off.
        bits: of one reading; 0 does not round.
    """

    bias_radps: NotNegative = 0.0
    gain: Share = 0.0
    cross_axis: Share = 0.0
    noise_radps_rthz: NotNegative = 0.0
    full_scale_dps: Positive = 1000.0
    bits: Bits = 0

    def read(
        self, truth: FloatArray, rate_hz: float, every: int, dice: np.random.Generator
    ) -> FloatArray:
        """(m, 3) readings of an angular rate (n, 3) known at `every` times the rate."""
        full_scale = float(np.radians(self.full_scale_dps))
        errors = _Errors(self.bias_radps, self.gain, self.cross_axis, self.noise_radps_rthz)
        return _read(truth, rate_hz, every, errors, full_scale, self.bits, dice)


@dataclass(frozen=True, slots=True)
class _Errors:
    """The same for both kinds, in the unit of what is measured."""

    bias: float
    gain: float
    cross_axis: float
    noise_rthz: float


def _read(
    truth: FloatArray,
    rate_hz: float,
    every: int,
    errors: _Errors,
    full_scale: float,
    bits: int,
    dice: np.random.Generator,
) -> FloatArray:
    mixing = dice.uniform(-errors.cross_axis, errors.cross_axis, (3, 3))
    np.fill_diagonal(mixing, 1.0 + dice.uniform(-errors.gain, errors.gain, 3))
    bias = dice.uniform(-errors.bias, errors.bias, 3)
    sampled = _low_pass(truth, every)[::every]
    noise = dice.normal(0.0, errors.noise_rthz * np.sqrt(rate_hz / 2), sampled.shape)
    reading = sampled @ mixing.T + bias + noise
    if bits:
        lsb = full_scale / 2 ** (bits - 1)
        reading = np.clip(np.rint(reading / lsb) * lsb, -full_scale, full_scale - lsb)
    return np.clip(reading, -full_scale, full_scale)


def _low_pass(values: FloatArray, every: int) -> FloatArray:
    """Take out what the sampling that follows would fold; delays nothing."""
    if every == 1 or len(values) < 2 * every:
        return values
    filtered: FloatArray = sosfiltfilt(
        butter(1, 2 * _FILTER_SHARE / every, output="sos"), values, axis=0
    )
    return filtered
