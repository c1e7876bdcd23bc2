"""The final estimate of a span; what it learnt of the sensor is carried to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from rolltrack.core.motion.batch import Constants, Estimate, estimate_batch
from rolltrack.core.motion.constants import FASTEST_RADPS, G_MPS2, no_slip_time_s
from rolltrack.core.motion.gyroscope import from_gyroscope
from rolltrack.core.motion.lead import followed
from rolltrack.core.motion.lever import LEVER
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.noise import box
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
_CIRCLING_MPS2, _RIM, _NEAR_S = 0.3 * G_MPS2, 0.7, 1.0
_ASTRAY_MPS2, _FAILING_S = 0.2 * G_MPS2, 0.05
"""Where a sensor at the rim would feel so much of its own circling within a second, and so much is
left over for so long, the force's phase may have been no beginning."""
_LEARNT, _BETTER = (0.0, 0.2, 1.0), 0.9
"""Share of what such an estimate says of the sensor that is believed, at first, then, and at last;
and how much less another one must leave over where the two differ."""
_APART_MPS, _AROUND_S = 0.02, 0.2


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
        for believed in () if readings.rate_radps is not None else _LEARNT:
            if not self._began_wrong(best, readings):
                break
            lead = followed(t_s, readings, known.updated(best.constants, believed))
            try:
                again = estimate_batch(t_s, readings, known, lead=lead)
            except np.linalg.LinAlgError:
                continue
            apart = self._apart(best, again, readings)
            if not apart.any():
                break
            if _left(again, apart) < _BETTER * _left(best, apart):
                best = again
        return best

    def _began_wrong(self, best: Estimate, readings: Readings) -> bool:
        """Whether it leaves much over of trusted readings where a sensor may feel its own circling.

        The lever arm it has found may be as wrong as the rest, so one at the rim is thought of.
        """
        lever_m = max(float(np.hypot(*best.constants.mean[LEVER])), _RIM * self.radius_m)
        near = max(3, round(_NEAR_S / readings.period_s))
        circling = lever_m * maximum_filter1d(best.model.rate**2, near) > _CIRCLING_MPS2
        left = np.minimum(np.abs(best.model.residual), G_MPS2)
        failing = box(left, round(_AROUND_S / readings.period_s)) > _ASTRAY_MPS2
        failing &= ~self._holds(best, readings) & circling & (np.asarray(readings.trusted) > 0.0)
        return float(np.count_nonzero(failing)) * readings.period_s > _FAILING_S

    def _apart(self, one: Estimate, other: Estimate, readings: Readings) -> BoolArray:
        """(n,) where two estimates differ in speed, and around."""
        apart = self.radius_m * np.abs(one.model.rate - other.model.rate) > _APART_MPS
        around = max(3, round(_AROUND_S / readings.period_s))
        apart = maximum_filter1d(apart.astype(np.uint8), around) > 0
        return np.asarray(apart & (np.asarray(readings.trusted) > 0.0))

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


def _left(estimate: Estimate, where: BoolArray) -> float:
    """What it leaves over there, as a mean square; a knock counts as gravity."""
    size = np.minimum(np.abs(estimate.model.residual[where]), G_MPS2)
    return float(np.mean(size**2))
