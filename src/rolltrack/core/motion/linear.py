"""The linear estimate: gravity's phase, freed of bias and lever arm, through the no-slip inverse.

Quick, and nothing in it can diverge: the live speed and the prompt strokes rest on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from rolltrack.core.motion.constants import G_MPS2, no_slip_time_s
from rolltrack.core.motion.gyroscope import from_gyroscope
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.no_slip import Turning, undo_no_slip
from rolltrack.core.motion.phase import in_plane, plane_across, roller_phase
from rolltrack.core.motion.radial import RadialFit, lever_factor
from rolltrack.core.motion.validity import plausible_force, where_valid

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.sample import FloatArray, ImuSamples

_FEWEST = 4
_VANISHING = 1e-6
_NOISE_WINDOW_S = 1.5
_COLOUR = 1.5
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
        period_s = float(np.median(np.diff(t_s)))
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
        return where_valid(samples, turning.rate_radps, sd, self.radius_m, valid)


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
    direction = force / np.maximum(np.abs(force), _VANISHING)
    return force, turning, direction * np.exp(1j * turning.excess_rad)


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
