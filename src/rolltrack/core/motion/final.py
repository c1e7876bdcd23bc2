"""The final estimate of a span; what it learnt of the sensor is carried to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.batch import Constants, Estimate, estimate_batch
from rolltrack.core.motion.constants import G_MPS2, no_slip_time_s
from rolltrack.core.motion.gyroscope import from_gyroscope
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.noise import box
from rolltrack.core.motion.normal import Readings
from rolltrack.core.motion.phase import in_plane, plane_across
from rolltrack.core.motion.validity import plausible_force, where_valid

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.sample import BoolArray, ImuSamples

ALGORITHM = "map-spline/1"

_FEWEST = 16
_CLUSTER = 3.5
"""Width in no-slip times over which residuals must stay small."""
_SURPRISE = 14.0
"""Mean squared residual, in variances, beyond which the model does not hold."""
_WORST = 60.0
_SMALL_MPS2 = 0.15 * G_MPS2
_INSANE = 8.0
"""Constants further from what sensors have, in standard deviations, are not believed."""


@dataclass(slots=True)
class FinalEstimator:
    """Knows more with every span.

    Attributes:
        radius_m: rolling radius.
        known: the sensor's constants as known so far, None before the first span.
    """

    radius_m: float
    known: Constants | None = None

    def estimate(self, samples: ImuSamples, finder: AxleFinder, learn: slice | None) -> Motion:
        """Speed along the tissue at every reading.

        Args:
            samples: one stretch without gaps; readings of the sensors in use are all there.
            finder: knows the axle and the gyroscope's bias.
            learn: the readings whose knowledge is to be kept; the others were or will be part of
                another stretch, and must not count twice.

        Returns:
            One instant per reading; unknown while the axle is not known.
        """
        axle, force, rate = finder.axle, samples.accel_mps2, samples.gyro_radps
        if force is None and rate is not None:
            return from_gyroscope(samples, rate, finder, self.radius_m)
        if axle is None or force is None or len(samples) < _FEWEST:
            return Motion.unknown(samples.t_s)
        about = None if rate is None else (rate - finder.rate_bias_radps) @ axle
        readings = Readings(
            in_plane(force, plane_across(axle)),
            about,
            no_slip_time_s(self.radius_m) ** 2,
            float(np.median(np.diff(samples.t_s))),
        )
        known = self.known or Constants.prior(self.radius_m, gyroscope=rate is not None)
        try:
            estimate = estimate_batch(samples.t_s, readings, known)
            sane = self._sane(estimate.constants, readings)
            if not sane:
                # Slow motion can mistake vibration for a lever arm; without one it cannot.
                estimate = estimate_batch(samples.t_s, readings, known.without_lever())
                sane = self._sane(estimate.constants, readings)
            elif learn is not None:
                count = len(range(*learn.indices(len(samples))))
                self.known = known.updated(estimate.constants, count / len(samples))
        except np.linalg.LinAlgError:
            return Motion.unknown(samples.t_s)
        if not sane:
            return Motion.unknown(samples.t_s)
        model = estimate.model
        valid = self._holds(readings, estimate)
        return where_valid(samples, model.rate, estimate.rate_sd_radps, self.radius_m, valid)

    def _holds(self, readings: Readings, estimate: Estimate) -> BoolArray:
        """(N,) where the readings are of gravity's size and the model explains them."""
        tau_s, period_s = no_slip_time_s(self.radius_m), readings.period_s
        size = np.minimum(np.abs(estimate.model.residual), G_MPS2)
        surprise = np.minimum((size / estimate.noise.sd_mps2) ** 2, _WORST)
        width = round(_CLUSTER * tau_s / period_s)
        # A fast stroke over bumps surprises too, but what it leaves over is small beside gravity.
        holds = (box(surprise, width) < _SURPRISE) | (box(size, width) < _SMALL_MPS2)
        valid: BoolArray = plausible_force(readings.z, tau_s, period_s) & holds
        return valid

    def _sane(self, constants: Constants, readings: Readings) -> bool:
        """A sensor as bad as this one would be is a model as wrong as this one is."""
        prior = Constants.prior(self.radius_m, gyroscope=readings.rate_radps is not None)
        size = np.abs(constants.mean) * np.sqrt(np.diag(prior.precision))
        return bool(np.all(size < _INSANE))
