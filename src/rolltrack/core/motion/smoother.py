"""Best estimate, a span at a time, with enough past and future that its ends do not show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from rolltrack.core.motion.carried import WINDOW_S, being_carried
from rolltrack.core.motion.clipping import Range
from rolltrack.core.motion.constants import no_slip_time_s
from rolltrack.core.motion.motion import Motion
from rolltrack.core.sample import ImuSamples

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.sample import BoolArray

_MARGIN = 6.0
"""Past and future kept around a span, in no-slip times: the ends' error has decayed by e^-6."""
_PATIENCE_S = 10.0
"""How long to hold readings back while the axle is not known yet."""


class Estimator(Protocol):
    """Turns a stretch of readings into motion.

    Attributes:
        has_axle: what rolls turns about an axle that stays.
    """

    has_axle: ClassVar[bool]

    def heir(self) -> Estimator:
        """One for the next session of the same roller."""
        ...

    def estimate(
        self,
        samples: ImuSamples,
        finder: AxleFinder,
        learn: slice | None,
        doubtful: BoolArray | None = None,
    ) -> Motion:
        """One instant per reading.

        `learn` are those to learn from, each reading once; nothing is learnt or known where
        `doubtful`.
        """
        ...


@dataclass(slots=True)
class Smoother:
    """Emits every reading exactly once; a long span knows more, a short one answers sooner.

    Attributes:
        radius_m: rolling radius.
        span_s: how much to estimate at once.
        estimator: turns a stretch into motion, and learns from it.
        least_margin_s: past and future it needs at least.
        pending: readings not yet emitted, with the context before them.
        emitted_until_s: time of the last instant emitted.
        ends: of the sensor's ranges, as far as they have shown.
    """

    radius_m: float
    span_s: float
    estimator: Estimator
    least_margin_s: float = 0.0
    pending: list[ImuSamples] = field(default_factory=list)
    emitted_until_s: float = -np.inf
    ends: Range = field(default_factory=Range)

    def feed(self, samples: ImuSamples, finder: AxleFinder) -> Motion | None:
        """Take readings; a span of motion when one is complete, else None."""
        self.pending.append(samples)
        now_s = float(samples.t_s[-1])
        waiting_s = now_s - max(self.emitted_until_s, float(self.pending[0].t_s[0]))
        needed_s = self.span_s + self._margin_s
        if finder.axle is None and self.estimator.has_axle:
            needed_s = max(needed_s, _PATIENCE_S)
        if waiting_s < needed_s:
            return None
        return self._emit(now_s - self._margin_s, finder)

    def settle(
        self, fresh: list[ImuSamples], finder: AxleFinder, *, all_of_it: bool
    ) -> Motion | None:
        """Take several blocks, none perhaps; what they complete, or all that is left as well."""
        motions = [self.feed(ImuSamples.join(fresh), finder)] if fresh else []
        if all_of_it:
            motions.append(self.flush(finder))
        known = [motion for motion in motions if motion is not None]
        return Motion.join(known) if known else None

    def flush(self, finder: AxleFinder) -> Motion | None:
        """Emit what is left; the next reading starts a new stretch."""
        motion = self._emit(np.inf, finder) if self.pending else None
        self.pending = []
        return motion

    @property
    def _margin_s(self) -> float:
        return max(_MARGIN * no_slip_time_s(self.radius_m), self.least_margin_s)

    def _emit(self, until_s: float, finder: AxleFinder) -> Motion:
        stretch = self.ends.again(ImuSamples.join(self.pending))
        first, last = np.searchsorted(stretch.t_s, [self.emitted_until_s, until_s], side="right")
        part = slice(int(first), int(last))
        from_ = int(np.searchsorted(stretch.t_s, self.emitted_until_s - self._margin_s))
        learn = slice(part.start - from_, part.stop - from_)
        near, doubtful = stretch[from_:], None
        if finder.axle is not None and self.estimator.has_axle:
            doubtful = being_carried(stretch, finder.axle)[from_:]
        motion = self.estimator.estimate(near, finder, learn, doubtful)[learn]
        if len(motion):
            self.emitted_until_s = float(motion.t_s[-1])
        keep = np.searchsorted(stretch.t_s, self.emitted_until_s - max(self._margin_s, WINDOW_S))
        self.pending = [stretch[int(keep) :]]
        return motion
