"""What a sliding window holds, and what it lets see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolltrack.core.motion.spline import Basis

if TYPE_CHECKING:
    from rolltrack.core.motion.noise import Noise
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.sample import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """The window as it now is, at its N readings.

    Attributes:
        rate_radps: (N,).
        rate_sd_radps: (N,) its standard deviation.
        blur_radps: (N,) how much smoothing has added to it.
        residual: (N,) what the model leaves of the specific force.
        noise_sd_mps2: (N,) of each of its components.
        shaken: the newest readings lie far off; the window may follow another motion.
    """

    rate_radps: FloatArray
    rate_sd_radps: FloatArray
    blur_radps: FloatArray
    residual: ComplexArray
    noise_sd_mps2: FloatArray
    shaken: bool


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The motion in the window.

    Attributes:
        start_s: where the first knot interval begins.
        c: (n,) coefficients.
        noise: as last measured, at the window's readings.
        process: (intervals,) weight of the process prior, as last used.
    """

    start_s: float
    c: FloatArray
    noise: Noise
    process: FloatArray

    def angle_rad(self, t_s: FloatArray, spacing_s: float) -> FloatArray:
        """(N,) the angle at times t_s (N,) that it covers."""
        return Basis.at(t_s, self.start_s, spacing_s).evaluate(self.c)[0]
