"""The linear estimate: gravity's phase, freed of bias and lever arm, through the no-slip inverse.

Quick, and nothing in it can diverge: the live speed and the prompt strokes rest on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.constants import G_MPS2, mean_period_s, no_slip_time_s
from rolltrack.core.motion.gyroscope import from_gyroscope
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.no_slip import Turning, undo_no_slip
from rolltrack.core.motion.noise import box
from rolltrack.core.motion.phase import in_plane, plane_across, roller_phase
from rolltrack.core.motion.radial import RadialFit, lever_factor
from rolltrack.core.motion.spline import Basis
from rolltrack.core.motion.steady import process_weight, solve_phase
from rolltrack.core.motion.validity import explained, plausible_force, where_valid

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.sample import FloatArray, ImuSamples

_FEWEST = 4
_VANISHING = 1e-6
_NOISE_WINDOW_S = 1.5
_COLOUR = 1.5
_KNOT = 0.23
"""Knot spacing in no-slip times."""
_SINGER = 3.5
"""Memory of the motion's w', in no-slip times."""
_LOOSE_RADPS2 = 5.0
_LOOSE_MPS2 = 0.3
_SLOW_RADPS2 = 0.5
_QUIETEST_MPS2 = 0.02
_FELT_MPS2 = 0.02
_ONSET_S = 0.3
_APART_RADPS = 1.0
_MODEL_SHARE = 0.02
"""What the model leaves out (bias not yet known, floor not level, slip), as share of the speed."""


@dataclass(slots=True)
class LinearEstimator:
    """Learns bias and lever arm as it goes.

    Attributes:
        radius_m: rolling radius.
        radial: what was learnt.
    """

    radius_m: float
    radial: RadialFit = field(default_factory=RadialFit)

    def estimate(self, samples: ImuSamples, finder: AxleFinder, learn: slice | None) -> Motion:
        """Speed along the tissue at every reading.

        Args:
            samples: one stretch without gaps; readings of the sensors in use are all there.
            finder: knows the axle and the gyroscope's bias.
            learn: readings to learn from before answering; each reading once per session.

        Returns:
            One instant per reading; unknown while the axle is not known.
        """
        axle, force = finder.axle, samples.accel_mps2
        if samples.gyro_radps is not None:
            return from_gyroscope(samples, samples.gyro_radps, finder, self.radius_m)
        if axle is None or force is None or len(samples) < _FEWEST:
            return Motion.unknown(samples.t_s)
        return self._from_force(samples, force, axle, learn)

    def _from_force(
        self, samples: ImuSamples, measured_mps2: FloatArray, axle: FloatArray, learn: slice | None
    ) -> Motion:
        t_s, tau_s = samples.t_s, no_slip_time_s(self.radius_m)
        period_s = mean_period_s(t_s)
        plane = plane_across(axle)
        z = in_plane(measured_mps2, plane)
        force, turning, up = _explain(t_s, z, plane, self.radial, tau_s, period_s)
        if learn is not None:
            along = (z * up.conj()).real - G_MPS2
            part = Turning(*(column[learn] for column in turning))
            self.radial.learn(up[learn], along[learn], part, plane, period_s)
            force, turning, up = _explain(t_s, z, plane, self.radial, tau_s, period_s)
        unexplained = (force * up.conj()).real - G_MPS2
        sd = _rate_sd(t_s, turning, unexplained, tau_s, period_s)
        valid = plausible_force(force, tau_s, period_s)
        valid &= explained(unexplained, tau_s, period_s)
        rate = _steadied(t_s, force, turning, unexplained, tau_s, period_s)
        # Where hands and readings tell stories this different, neither is to be believed.
        valid &= np.abs(rate - turning.rate_radps) < _APART_RADPS + 0.5 * np.abs(turning.rate_radps)
        return where_valid(samples, rate, sd, self.radius_m, valid)


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
    by_lever = lever * lever_factor(turning)
    if np.abs(by_lever).max() > _FELT_MPS2:
        force = force - by_lever
        turning = undo_no_slip(t_s, roller_phase(force, period_s, tau_s), tau_s)
    direction = force / np.maximum(np.abs(force), _VANISHING)
    return force, turning, direction * np.exp(1j * turning.excess_rad)


def _steadied(
    t_s: FloatArray,
    force: ComplexArray,
    turning: Turning,
    unexplained: FloatArray,
    tau_s: float,
    period_s: float,
) -> FloatArray:
    """(n,) rate under a prior that hands are slow: vibration gives way, a stroke's onset does not.

    Twice the same linear solve: loosely first, to see how lively the motion is from one third of a
    second to the next, then with the prior that fits it.
    """
    basis = Basis.at(t_s, float(t_s[0]), _KNOT * tau_s)
    singer_s = _SINGER * tau_s
    phase = turning.angle_rad - turning.excess_rad
    size = np.maximum(np.minimum(np.abs(force), G_MPS2), _VANISHING)
    onset = round(_ONSET_S / period_s)
    loose = np.sqrt(_LOOSE_RADPS2**2 + 2.0 * box(turning.rate_change_radps2**2, onset))
    weight = process_weight(basis, t_s, loose, singer_s)
    first = solve_phase(basis, phase, _LOOSE_MPS2 / size, tau_s**2, singer_s, weight)
    _, rate, change = basis.evaluate(first)
    width = round(_NOISE_WINDOW_S / period_s)
    power = unexplained**2
    power = np.minimum(power, 16.0 * float(np.median(power)) + 0.05**2)
    sd = _COLOUR * np.sqrt(box(power, width) + _QUIETEST_MPS2**2)
    lively = np.maximum(1.5 * box(change**2, width), 2.0 * box(change**2, onset))
    floor = _SLOW_RADPS2 + np.sqrt(box(rate**2, width))
    weight = process_weight(basis, t_s, np.sqrt(lively + floor**2), singer_s)
    second = solve_phase(basis, phase, sd / size, tau_s**2, singer_s, weight)
    return basis.evaluate(second)[1]


def _rate_sd(
    t_s: FloatArray, turning: Turning, radial: FloatArray, tau_s: float, period_s: float
) -> FloatArray:
    """Standard deviation of the rate, (n,).

    White noise of density n (g/sqrt(Hz), one-sided) leaves n / (sqrt(8) tau^1.5) in the no-slip
    inverse. The density is read off the radial residual, which the angle cannot absorb. The
    unknown theta'' at both ends of the stretch adds tau theta'' exp(-distance / tau).
    """
    width = round(_NOISE_WINDOW_S / period_s)
    power = box(np.minimum(radial**2, 4.0), width)
    density = _COLOUR * np.sqrt(2.0 * period_s * power) / G_MPS2
    restless = np.sqrt(box(turning.rate_change_radps2**2, width))
    ends = np.exp(-(t_s - t_s[0]) / tau_s) + np.exp(-(t_s[-1] - t_s) / tau_s)
    variance: FloatArray = (
        (density / (np.sqrt(8.0) * tau_s**1.5)) ** 2
        + (_MODEL_SHARE * turning.rate_radps) ** 2
        + (tau_s * restless * ends) ** 2
    )
    return np.sqrt(variance)
