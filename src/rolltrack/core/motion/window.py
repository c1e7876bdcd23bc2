"""The batch estimate, kept up to date: a window that slides, and a small prior for what left it.

Every hop brings new readings and takes Gauss-Newton steps from where the last ones ended. What
grows older than the window is marginalised: a Schur complement turns its knots and readings into a
Gaussian over the first three coefficients that stay and the sensor's constants, exactly at the
current linearisation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.batch import (
    SINGER_S,
    Constants,
    averaging_radps,
    estimate_batch,
    huber_weight,
    knot_spacing_s,
)
from rolltrack.core.motion.blur import blur_around, blur_radps
from rolltrack.core.motion.bordered import rate_variance_at
from rolltrack.core.motion.constants import FASTEST_RADPS, G_MPS2
from rolltrack.core.motion.edge import NEWEST, unforeseen_radps
from rolltrack.core.motion.fit import MOST_SURPRISE, Fit, Problem, rate_correction, surprise
from rolltrack.core.motion.glimpse import Glimpse, Track
from rolltrack.core.motion.ground import NOTHING_SEEN, GroundSeen, ground_seen
from rolltrack.core.motion.lever import BIAS, radial_lever_columns
from rolltrack.core.motion.noise import (
    Noise,
    NoiseRule,
    box,
    colour_of,
    lengthened,
    measure,
    measure_rate,
    noisiest_radps,
)
from rolltrack.core.motion.normal import (
    ACCEL_CONSTANTS,
    Predicted,
    Readings,
    accumulate,
    assemble,
    predict,
)
from rolltrack.core.motion.prior import TIED, Prior, eliminated
from rolltrack.core.motion.spline import Basis
from rolltrack.core.motion.steady import process_row, process_weight, prolonged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.motion.batch import Estimate
    from rolltrack.core.sample import FloatArray

SHORTEST, SPAN = 6.0, 17.0
"""Length of a window in no-slip times: less is no start, and with more the answer does not move."""
SETTLED = 6.0
"""In no-slip times: the influence of what lies further ahead has decayed by e^-6."""
RECHECK = 5
"""Hops between looks whether the window has gone astray."""
_CHUNK_S = 0.3
"""Marginalised at once; doing it at every hop would cost more and gain nothing."""
_RULE = NoiseRule(change_floor_radps2=0.6, change_per_rate=0.5)
_NEWEST_CHANGE_RADPS2 = 3.0
"""A push may just have begun, however calm it was before. Gravity's phase starts against the way
the roller will go, and a calm prior would rather have it roll backwards."""
_SHAKEN = 10.0
_ONE_SIDED_MPS2 = 0.1 * G_MPS2
"""How far off the newest readings are, in variances or all the same way, where the window may
follow another motion. Vibration goes both ways, however strong."""
_SURPRISED, _PUSHED = 4.0, 4.0
"""If the newest readings lie so many variances off, w' may deviate so many times as much there."""
_FORGOTTEN_S = 60.0
"""Biases drift with warmth: what was learnt this long ago counts e times less."""
_FIRST_COLOUR = 1.5
_COLOUR_SHARE = 0.03
"""A second or two tell little about colour."""
_INHERITED = 0.2
"""Share of the certainty that outlives a session."""
_DOUBTED = 0.25
"""Of the variance of sensors at large, added when something was learnt wrongly."""
_ASTRAY_MPS2 = 0.2 * G_MPS2
_ASTRAY_SHARE = 0.5
_CLUSTER = 7.0
"""In no-slip times: residuals this close together are looked at together."""
_BETTER = 0.5
_SD_SHARE, _SD_SHARE_GYRO, _BLUR_SHARE = 0.48, 0.65, 1.8
"""As in the final estimate, with its own measured shares."""


@dataclass(slots=True)
class SlidingWindow:
    """Angle, rate and constants of one roller, up to now.

    Attributes:
        base: the constants as known before anything was measured here.
        k_s2: R / g.
        colour: of the vibration.
        track: the motion, None before a beginning and after an interruption.
        q: (nc,) constants.
        widest: (nc,) standard deviations of the constants of sensors at large.
        prior: what has left the window.
        ground: what has left the window says about the ground.
    """

    base: Constants
    k_s2: float
    colour: float = _FIRST_COLOUR
    track: Track | None = None
    q: FloatArray = field(init=False)
    widest: FloatArray = field(init=False)
    prior: Prior = field(init=False)
    ground: GroundSeen = NOTHING_SEEN

    def __post_init__(self) -> None:
        self.q = self.base.mean.copy()
        at_large = Constants.prior(self.k_s2 * G_MPS2, gyroscope=self.gyroscope)
        self.widest = 1.0 / np.sqrt(np.diag(at_large.precision))
        self.prior = Prior.of(self.base)

    @property
    def gyroscope(self) -> bool:
        """Whether there is one."""
        return len(self.q) > ACCEL_CONSTANTS

    def known(self) -> Constants:
        """The constants as what has left the window tells them."""
        return self.prior.constants()

    def heir(self) -> SlidingWindow:
        """One for the next session of the same roller, less certain."""
        known = self.known()
        precision = _INHERITED * known.precision
        precision += (1.0 - _INHERITED) * np.diag(self.widest**-2.0)
        return SlidingWindow(Constants(known.mean, precision), self.k_s2, self.colour)

    def begin(self, t_s: FloatArray, readings: Readings) -> None:
        """Start anew from N readings; what is known of the constants stays.

        Raises:
            numpy.linalg.LinAlgError: nothing can be made of them.
        """
        estimate = estimate_batch(t_s, readings, self.known(), self.ground)
        _check(estimate.model.rate)
        self._adopt(t_s, estimate)

    def interrupt(self) -> None:
        """A gap: the angle is lost, the constants are not."""
        self.track = None
        self.prior = Prior.of(self.known())

    def doubt(self) -> None:
        """What was learnt may have been wrong: an interruption, and less certain constants."""
        known = self.known()
        covariance = np.linalg.inv(known.precision) + np.diag(_DOUBTED * self.widest**2)
        self.track = None
        self.prior = Prior.of(Constants(known.mean, np.linalg.inv(covariance)))

    def shift_bias(self, by_mps2: FloatArray) -> None:
        """All that was measured reads (2,) more in the plane from now on."""
        self.q[BIAS] += by_mps2
        self.prior = self.prior.with_bias_shifted(by_mps2)

    def advance(self, t_s: FloatArray, readings: Readings, at: NDArray[np.intp]) -> Glimpse:
        """Take Gauss-Newton steps with all N readings of the window, new ones at its end.

        Args:
            t_s: (N,) the readings that have not been marginalised, oldest first.
            readings: what was measured there.
            at: (k,) indices of instants, ascending; the standard deviation is worked out there and
                interpolated between.

        Raises:
            numpy.linalg.LinAlgError: nothing can be made of them.
        """
        before = self._begun
        basis = Basis.at(t_s, before.start_s, self._spacing_s)
        row = process_row(basis.spacing_s, SINGER_S)
        c = prolonged(before.c, basis.coefficients, row)
        model = predict(basis, c, self.q, readings)
        # What the spline has only been prolonged to says nothing about noise yet.
        seen = max(1, int(np.searchsorted(basis.interval, len(before.c) - TIED)))
        noise, rate_sd = self._look(model, readings, seen)
        if rate_sd is not None:
            readings = replace(readings, rate_sd_radps=rate_sd)
        problem = Problem(basis, readings, noise, row, self.prior, self.widest)
        found, left = self._fit(problem, t_s, c, model)
        _, rate, change = basis.evaluate(found.c)
        _check(rate)
        self.track, self.q = Track(before.start_s, found.c, noise, found.process), found.q
        own, constants = rate_variance_at(basis, found.solved, found.system.border, at)
        sd = np.sqrt((_SD_SHARE_GYRO if self.gyroscope else _SD_SHARE) ** 2 * own + constants)
        sd = np.exp(np.interp(np.arange(len(t_s)), at, np.log(sd)))
        sd = np.hypot(sd, averaging_radps(change, readings.period_s))
        if not self.gyroscope:
            away_s, period_s = t_s[-1] - t_s, readings.period_s
            sd = np.hypot(sd, unforeseen_radps(away_s, change, self._tau_s, period_s))
        blur = blur_radps(basis, found.solved.factor, found.c, row, found.process)
        sd = np.hypot(sd, _BLUR_SHARE * blur_around(blur, readings.period_s))
        one_sided = abs(found.model.aligned[-self._newest(readings) :].mean()) > _ONE_SIDED_MPS2
        shaken = (left > _SHAKEN or one_sided) and not self.gyroscope
        return Glimpse(rate, sd, blur, found.model.residual, noise.sd_mps2, shaken)

    def _fit(
        self, problem: Problem, t_s: FloatArray, c: FloatArray, model: Predicted
    ) -> tuple[Fit, float]:
        """Steps from coefficients c (n,); from there again, for a push, if the newest surprise.

        Returns:
            Where they ended, and how far off the newest readings then are, in variances.
        """
        basis, noise = problem.basis, problem.noise
        newest = self._newest(problem.readings)
        calm = process_weight(basis, t_s, noise.change_sd_radps2, SINGER_S)
        found = problem.fit(c, self.q, model, calm)
        left = _mean_surprise(found, noise, newest)
        if self.gyroscope or left < _SURPRISED:
            return found, left
        change_sd = noise.change_sd_radps2.copy()
        change_sd[-newest:] *= _PUSHED
        again = problem.fit(c, self.q, model, process_weight(basis, t_s, change_sd, SINGER_S))
        then_left = _mean_surprise(again, noise, newest)
        return (again, then_left) if then_left < _BETTER * left else (found, left)

    def recover(self, t_s: FloatArray, readings: Readings, glimpse: Glimpse, *, look: bool) -> None:
        """Start anew if the window seems to have gone astray, and if that explains more.

        Only if most of it was astray is what it has learnt of the sensor doubtful, too.

        Args:
            t_s: (N,) the readings that have not been marginalised.
            readings: what was measured there.
            glimpse: the window as it is.
            look: at all of it; else only if the newest readings surprise greatly.

        Raises:
            numpy.linalg.LinAlgError: nothing can be made of the readings.
        """
        noise = glimpse.noise_sd_mps2
        if not (look or glimpse.shaken):
            return
        left = surprise(glimpse.residual, noise)
        width = round(_CLUSTER * self._tau_s / readings.period_s)
        lost = float(np.mean(np.abs(glimpse.residual) > _ASTRAY_MPS2)) > _ASTRAY_SHARE
        if not (lost or glimpse.shaken) and box(left, width).max() < _ASTRAY_SHARE * MOST_SURPRISE:
            return
        estimate = estimate_batch(t_s, readings, self.known(), self.ground)
        again = surprise(estimate.model.residual, noise)
        newest = slice(-self._newest(readings), None)
        if all(again[part].mean() < _BETTER * left[part].mean() for part in (slice(None), newest)):
            if lost:
                self.doubt()
            else:
                self.interrupt()
            self._adopt(t_s, estimate)

    def marginalise(self, t_s: FloatArray, readings: Readings, until_s: float) -> int:
        """Let go of what is older than `until_s`; how many readings that were."""
        track, spacing_s = self._begun, self._spacing_s
        m = int((until_s - track.start_s) / spacing_s)
        if m * spacing_s < _CHUNK_S or m + TIED >= len(track.c):
            return 0
        everything = Basis.at(t_s, track.start_s, spacing_s)
        count = int(np.searchsorted(everything.interval, m))
        if count == 0:
            return 0
        self._learn(everything, readings, count)
        c = track.c[: m + TIED]
        basis = replace(Basis.at(t_s[:count], track.start_s, spacing_s), intervals=m)
        old = readings.first(count)
        model = predict(basis, c, self.q, old)
        weight = huber_weight(model, track.noise.sd_mps2[:count]) * old.trusted
        lever = radial_lever_columns(model, readings.period_s)
        normal = accumulate(basis, old, model, weight, rate_correction(self.q), lever)
        row = process_row(spacing_s, SINGER_S)
        system = assemble(normal, c, row, track.process[:m])
        left = eliminated(self.prior.added_to(system, c, self.q), c, self.q, m)
        grown = float(np.exp(0.5 * m * spacing_s / _FORGOTTEN_S))
        self.prior = left.loosened(grown, self.widest)
        self.track = replace(track, start_s=track.start_s + m * spacing_s, c=track.c[m:])
        if not self.gyroscope and self.ground.ground != readings.ground:
            self.doubt()
        return count

    @property
    def _begun(self) -> Track:
        if self.track is None:
            raise np.linalg.LinAlgError("there is nothing to go on from")
        return self.track

    @property
    def _tau_s(self) -> float:
        return float(np.sqrt(self.k_s2))

    @property
    def _spacing_s(self) -> float:
        return knot_spacing_s(self._tau_s)

    def _newest(self, readings: Readings) -> int:
        """How many of the newest readings lie where w' is a guess."""
        return max(1, round(NEWEST * self._tau_s / readings.period_s))

    def _adopt(self, t_s: FloatArray, estimate: Estimate) -> None:
        noise = estimate.noise
        self.q, self.colour = estimate.constants.mean.copy(), noise.colour
        # What is in the window counts again when it leaves; without it the next step forgets it.
        self.ground = self.ground.and_later(estimate.ground_seen.briefly())
        process = process_weight(estimate.basis, t_s, noise.change_sd_radps2, SINGER_S)
        self.track = Track(estimate.basis.start_s, estimate.coefficients, noise, process)

    def _look(
        self, model: Predicted, readings: Readings, seen: int
    ) -> tuple[Noise, FloatArray | None]:
        """Noise levels from the oldest `seen` readings, where the motion is known by now.

        Returns:
            Of the specific force, and of the gyroscope if there is one.
        """
        count, period_s = len(model.angle), readings.period_s
        newest = self._newest(readings)
        part = model.first(seen)
        noise = measure(
            part,
            period_s,
            _RULE,
            self.colour,
            turning_known=self.gyroscope,
            mirrored=True,
            # Without a gyroscope the newest w' must not tell how lively it is itself.
            guessed=0 if self.gyroscope else newest,
        )
        change_sd = lengthened(noise.change_sd_radps2, count)
        change_sd[-newest:] = np.maximum(change_sd[-newest:], _NEWEST_CHANGE_RADPS2)
        noise = Noise(lengthened(noise.sd_mps2, count), change_sd, noise.colour)
        if readings.rate_radps is None:
            return noise, None
        told = readings.rate_radps[:seen]
        apart = told - (1.0 + self.q[-1]) * part.rate - self.q[-2]
        rate_sd = np.minimum(measure_rate(apart, period_s, mirrored=True), noisiest_radps(told))
        return noise, lengthened(rate_sd, count)

    def _learn(self, basis: Basis, readings: Readings, count: int) -> None:
        """Take colour from the window, and from its oldest `count` readings what the ground is."""
        track, period_s = self._begun, readings.period_s
        model = predict(basis, track.c, self.q, readings)
        honest = model.aligned if self.gyroscope else model.aligned.real
        colour = colour_of(honest * (track.noise.colour / track.noise.sd_mps2), period_s)
        self.colour += _COLOUR_SHARE * (colour - self.colour)
        kept = float(np.exp(-_CHUNK_S / _FORGOTTEN_S))
        weight = huber_weight(model, track.noise.sd_mps2) * readings.trusted
        seen = ground_seen(model.first(count), readings.first(count), weight[:count])
        self.ground = self.ground.and_later(seen.briefly(), kept)


def _mean_surprise(found: Fit, noise: Noise, newest: int) -> float:
    return float(np.mean(surprise(found.model.residual[-newest:], noise.sd_mps2[-newest:])))


def _check(rate_radps: FloatArray) -> None:
    if not (np.all(np.isfinite(rate_radps)) and np.abs(rate_radps).max() < FASTEST_RADPS):
        raise np.linalg.LinAlgError("the window has lost the roller")
