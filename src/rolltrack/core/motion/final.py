"""The final estimate of a span; what it learnt of the sensor is carried to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.ndimage import minimum_filter1d

from rolltrack.core.motion.batch import Constants, Estimate, estimate_batch
from rolltrack.core.motion.constants import FASTEST_RADPS, G_MPS2, no_slip_time_s
from rolltrack.core.motion.gyroscope import from_gyroscope
from rolltrack.core.motion.lead import followed
from rolltrack.core.motion.lever import LEVER
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.normal import Readings
from rolltrack.core.motion.phase import in_plane, plane_across
from rolltrack.core.motion.validity import model_holds, where_valid

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.sample import BoolArray, FloatArray, ImuSamples

ALGORITHM = "map-spline/1"

_FEWEST = 16
_EDGE = 3.0
"""In no-slip times: by then the influence of what lies beyond has decayed."""
_INSANE = 8.0
"""Constants further from what sensors have, in standard deviations, are not believed."""
_CIRCLING_MPS2, _MOST_WRONG = 0.3 * G_MPS2, 0.005
"""Where a sensor feels so much of its own circling, and the model fails so often, the force's phase
may have been no beginning."""
_LEARNT, _BETTER = (0.0, 0.2), 0.9
"""Share of what such an estimate says of the sensor that is believed, at first and then; and how
much less another one must leave over."""


@dataclass(slots=True)
class FinalEstimator:
    """Knows more with every span.

    Attributes:
        radius_m: rolling radius.
        has_axle: it turns about an axle that stays.
        known: the sensor's constants as known so far, None before the first span.
    """

    radius_m: float
    has_axle: ClassVar[bool] = True
    known: Constants | None = None

    def heir(self) -> FinalEstimator:
        """One for the next session: a whole session teaches all there is, so it starts afresh."""
        return FinalEstimator(self.radius_m)

    def estimate(
        self,
        samples: ImuSamples,
        finder: AxleFinder,
        learn: slice | None,
        doubtful: BoolArray | None = None,
    ) -> Motion:
        """Speed along the tissue at every reading.

        Args:
            samples: one stretch without gaps; readings of the sensors in use are all there.
            finder: knows the axle and the gyroscope's bias.
            learn: the readings whose knowledge is to be kept; the others were or will be part of
                another stretch, and must not count twice.
            doubtful: (n,) where the model cannot hold; nothing is concluded from there.

        Returns:
            One instant per reading; unknown while the axle is not known.
        """
        axle, force, rate = finder.axle, samples.accel_mps2, samples.gyro_radps
        if force is None and rate is not None:
            turning = from_gyroscope(samples, rate, finder, self.radius_m)
            return turning if doubtful is None else turning.unknown_where(doubtful)
        if axle is None or force is None or len(samples) < _FEWEST:
            return Motion.unknown(samples.t_s)
        about = None if rate is None else (rate - finder.rate_bias_radps) @ axle
        readings = Readings(
            in_plane(force, plane_across(axle)),
            about,
            no_slip_time_s(self.radius_m) ** 2,
            float(np.median(np.diff(samples.t_s))),
            trusted=self._trusted(doubtful, samples),
        )
        known = Constants.prior(self.radius_m, gyroscope=rate is not None)
        if self.known is not None and len(self.known.mean) == len(known.mean):
            known = self.known
        try:
            estimate = self._best(samples.t_s, readings, known)
            sane = self._sane(estimate.constants, readings)
            if not sane:
                # Slow motion can mistake vibration for a lever arm; without one it cannot.
                bare = known.without_lever()
                estimate = estimate_batch(samples.t_s, readings, bare)
                sane = self._sane(estimate.constants, readings)
            elif learn is not None:
                count = len(range(*learn.indices(len(samples))))
                self.known = known.updated(estimate.constants, count / len(samples))
        except np.linalg.LinAlgError:
            return Motion.unknown(samples.t_s)
        if not sane:
            return Motion.unknown(samples.t_s)
        valid = self._holds(estimate, readings)
        if doubtful is not None:
            valid &= ~doubtful
        sd, blur = estimate.rate_sd_radps, estimate.blur_radps
        return where_valid(samples, estimate.model.rate, sd, self.radius_m, valid, blur)

    def _best(self, t_s: FloatArray, readings: Readings, known: Constants) -> Estimate:
        """From gravity's phase; where circling outweighs gravity, by following the roller there."""
        best = estimate_batch(t_s, readings, known)
        trusted = np.asarray(readings.trusted) > 0.0
        circling_m = float(np.hypot(*best.constants.mean[LEVER]))
        if circling_m * np.max(best.model.rate**2) < _CIRCLING_MPS2:
            return best
        if np.count_nonzero(~self._holds(best, readings) & trusted) < _MOST_WRONG * len(t_s):
            return best
        for believed in _LEARNT:
            try:
                lead = followed(t_s, readings, known.updated(best.constants, believed))
                again = estimate_batch(t_s, readings, known, lead=lead)
            except np.linalg.LinAlgError:
                continue
            if _left(again, trusted) < _BETTER * _left(best, trusted):
                return again
        return best

    def _holds(self, estimate: Estimate, readings: Readings) -> BoolArray:
        """(n,) where the estimate explains the readings."""
        holds = model_holds(
            readings.z,
            estimate.model.residual,
            estimate.noise.sd_mps2,
            self.radius_m * estimate.model.rate,
            no_slip_time_s(self.radius_m),
            readings.period_s,
        )
        return np.asarray(holds & (np.abs(estimate.model.rate) < FASTEST_RADPS))

    def _trusted(self, doubtful: BoolArray | None, samples: ImuSamples) -> FloatArray | float:
        """(N,) 0 for clipped readings and well inside doubtful stretches, else 1.

        A stretch becomes doubtful by what happens a second into it. Its edges still serve: without
        them the last instants that are believed would have no future, and the first no past.
        """
        trusted: FloatArray | float = 1.0
        if doubtful is not None:
            period_s = float(np.median(np.diff(samples.t_s)))
            edge = round(_EDGE * no_slip_time_s(self.radius_m) / period_s)
            inside = minimum_filter1d(doubtful.astype(float), 2 * edge + 1, mode="nearest")
            trusted = np.asarray(1.0 - inside)
        return trusted if samples.clipped is None else np.where(samples.clipped, 0.0, trusted)

    def _sane(self, constants: Constants, readings: Readings) -> bool:
        """A sensor as bad as this one would be is a model as wrong as this one is."""
        prior = Constants.prior(self.radius_m, gyroscope=readings.rate_radps is not None)
        size = np.abs(constants.mean) * np.sqrt(np.diag(prior.precision))
        return bool(np.all(size < _INSANE))


def _left(estimate: Estimate, trusted: BoolArray) -> float:
    """What it leaves over of the trusted readings, as a mean square; a knock counts as gravity."""
    size = np.minimum(np.abs(estimate.model.residual), G_MPS2)
    return float(np.mean(np.where(trusted, size, 0.0) ** 2))
