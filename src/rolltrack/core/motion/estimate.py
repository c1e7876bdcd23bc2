"""A stretch of readings -> Motion. The one step that live and final share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from rolltrack.core.motion.constants import G_MPS2, no_slip_time_s
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.no_slip import Turning, undo_no_slip
from rolltrack.core.motion.phase import (
    DEMODULATION_WINDOW,
    ComplexArray,
    in_plane,
    plane_across,
    roller_phase,
)
from rolltrack.core.motion.radial import lever_factor

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.radial import RadialFit
    from rolltrack.core.sample import BoolArray, FloatArray, ImuSamples

ALGORITHM = "no-slip-inverse/1"

_FEWEST = 4
_LEAST_FORCE = 0.3 * G_MPS2
_MOST_FORCE = 2.0 * G_MPS2
_VANISHING = 1e-6
_NOISE_WINDOW_S = 1.5
_COLOUR = 1.5
_MODEL_SHARE = 0.02
"""What the model leaves out (bias not yet known, floor not level, slip), as share of the speed."""
_GYRO_SCALE_SHARE = 0.015
_GYRO_NOISE_RADPS = 0.02


def estimate(
    samples: ImuSamples,
    finder: AxleFinder,
    radial: RadialFit,
    radius_m: float,
    learn: slice | None = None,
) -> Motion:
    """Speed along the tissue at every reading.

    Args:
        samples: one stretch without gaps; readings of the sensors in use are all there.
        finder: knows the axle and the gyroscope's bias.
        radial: knows the accelerometer's bias and lever arm.
        radius_m: rolling radius.
        learn: readings to teach `radial` before it is used; each reading once per session.

    Returns:
        One instant per reading; unknown while the axle is not known.
    """
    axle = finder.axle
    if axle is None or len(samples) < _FEWEST:
        return Motion.unknown(samples.t_s)
    if samples.gyro_radps is not None:
        rate = (samples.gyro_radps - finder.rate_bias_radps) @ axle
        sd = np.hypot(_GYRO_NOISE_RADPS, _GYRO_SCALE_SHARE * rate)
        return _motion(samples, rate, sd, radius_m, np.ones(len(rate), dtype=bool))
    if samples.accel_mps2 is None:
        return Motion.unknown(samples.t_s)
    return _from_force(samples, samples.accel_mps2, axle, radial, radius_m, learn)


def _from_force(
    samples: ImuSamples,
    measured_mps2: FloatArray,
    axle: FloatArray,
    radial: RadialFit,
    radius_m: float,
    learn: slice | None,
) -> Motion:
    t_s, tau_s = samples.t_s, no_slip_time_s(radius_m)
    period_s = float(np.median(np.diff(t_s)))
    plane = plane_across(axle)
    z = in_plane(measured_mps2, plane)
    force, turning, up = _explain(t_s, z, plane, radial, tau_s, period_s)
    if learn is not None:
        along = (z * up.conj()).real - G_MPS2
        part = Turning(*(column[learn] for column in turning))
        radial.learn(up[learn], along[learn], part, plane, period_s)
        force, turning, up = _explain(t_s, z, plane, radial, tau_s, period_s)
    unexplained = (force * up.conj()).real - G_MPS2
    sd = _rate_sd(t_s, turning, unexplained, tau_s, period_s)
    return _motion(samples, turning.rate_radps, sd, radius_m, _plausible(force, tau_s, period_s))


def _explain(
    t_s: FloatArray,
    z: ComplexArray,
    plane: FloatArray,
    radial: RadialFit,
    tau_s: float,
    period_s: float,
) -> tuple[ComplexArray, Turning, ComplexArray]:
    """Free the specific force of bias and lever arm.

    Returns:
        The force (n,), the turning it shows, and gravity's direction (n,), all in the plane.
    """
    bias, lever = radial.constants(plane)
    force = z - bias
    turning = undo_no_slip(t_s, roller_phase(force, period_s, tau_s), tau_s)
    if lever:
        force = force - lever * lever_factor(turning)
        turning = undo_no_slip(t_s, roller_phase(force, period_s, tau_s), tau_s)
    # The phase runs against gravity's turning: the excess of the angle turns gravity back.
    direction = force / np.maximum(np.abs(force), _VANISHING)
    return force, turning, direction * np.exp(-1j * turning.excess_rad)


def _plausible(force: ComplexArray, tau_s: float, period_s: float) -> BoolArray:
    size = np.abs(force)
    width = max(3, round(DEMODULATION_WINDOW * tau_s / period_s))
    around = uniform_filter1d(size, width, mode="nearest")
    plausible: BoolArray = (size > _LEAST_FORCE) & (around > _LEAST_FORCE) & (around < _MOST_FORCE)
    return plausible


def _rate_sd(
    t_s: FloatArray, turning: Turning, radial: FloatArray, tau_s: float, period_s: float
) -> FloatArray:
    """Standard deviation of the rate, (n,).

    White noise of density n (g/sqrt(Hz), one-sided) leaves n / (sqrt(8) tau^1.5) in the no-slip
    inverse. The density is read off the radial residual, which the angle cannot absorb. The
    unknown theta'' at both ends of the stretch adds tau theta'' exp(-distance / tau).
    """
    width = max(3, round(_NOISE_WINDOW_S / period_s))
    power = uniform_filter1d(np.minimum(radial**2, 4.0), width, mode="nearest")
    density = _COLOUR * np.sqrt(2.0 * period_s * power) / G_MPS2
    restless = np.sqrt(uniform_filter1d(turning.rate_change_radps2**2, width, mode="nearest"))
    ends = np.exp(-(t_s - t_s[0]) / tau_s) + np.exp(-(t_s[-1] - t_s) / tau_s)
    variance: FloatArray = (
        (density / (np.sqrt(8.0) * tau_s**1.5)) ** 2
        + (_MODEL_SHARE * turning.rate_radps) ** 2
        + (tau_s * restless * ends) ** 2
    )
    return np.sqrt(variance)


def _motion(
    samples: ImuSamples, rate: FloatArray, sd: FloatArray, radius_m: float, valid: BoolArray
) -> Motion:
    if samples.clipped is not None:
        valid = valid & ~samples.clipped
    return Motion(
        samples.t_s,
        np.where(valid, radius_m * rate, np.nan),
        np.where(valid, radius_m * sd, np.nan),
        valid,
    )
