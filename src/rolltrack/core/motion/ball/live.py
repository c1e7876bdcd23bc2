"""A ball's speed as soon as it can be known: a short batch estimate, taken on at every hop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.ball.estimator import BallEstimator
from rolltrack.core.motion.constants import ROUNDING_S, no_slip_time_s
from rolltrack.core.motion.live import Spoken
from rolltrack.core.motion.smoother import Smoother
from rolltrack.core.sample import ImuSamples

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.ball.solve import BallEstimate
    from rolltrack.core.motion.motion import Motion

QUICK_STEPS = 4
_LEARNS = 0.02
_CONTEXT = 12.0
"""Length of the window in no-slip times (at least 1 s); older readings no longer matter."""
_REGAINED = 4.0
"""In no-slip times: so long must it have been found before it is believed again."""
_PROMPT_SPAN_S = 0.5


@dataclass(slots=True)
class BallLive:
    """With a gyroscope there is nothing to wait for.

    Attributes:
        estimator: learns from what has settled.
        window: the readings still needed.
        spoken: what was said live.
        fresh: readings that have not been settled.
        unknown_s: the last instant at which the motion was not found.
        before: the answer a hop ago, if it explained everything.
        prompt: motion that settles.
    """

    estimator: BallEstimator
    window: list[ImuSamples] = field(default_factory=list)
    spoken: Spoken = field(default_factory=Spoken)
    fresh: list[ImuSamples] = field(default_factory=list)
    unknown_s: float = -np.inf
    before: BallEstimate | None = None
    prompt: Smoother = field(init=False)

    def __post_init__(self) -> None:
        self.prompt = Smoother(self.estimator.radius_m, _PROMPT_SPAN_S, self.estimator)

    @classmethod
    def of(cls, radius_m: float) -> BallLive:
        """One for a ball of which nothing is known."""
        return cls(BallEstimator(radius_m, QUICK_STEPS, _LEARNS))

    def heir(self) -> BallLive:
        """One for the next session of the same ball."""
        return BallLive(self.estimator.heir())

    def begin(self, earlier: ImuSamples, finder: AxleFinder) -> None:  # noqa: ARG002 - a roller needs it
        """Take readings from before the session; nothing of them will be said live."""
        self.window, self.fresh, self.before = [earlier], [earlier], None
        self.spoken.until_s = float(earlier.t_s[-1])

    def step(self, hop: ImuSamples, finder: AxleFinder) -> Motion:
        """Take the readings of one hop; say what has become known, oldest first."""
        past = ImuSamples.join([*self.window, hop])
        span_s = max(1.0, _CONTEXT * no_slip_time_s(self.estimator.radius_m))
        past = past[int(np.searchsorted(past.t_s, past.t_s[-1] - span_s - ROUNDING_S)) :]
        self.window = [past]
        self.fresh.append(hop)
        lag_s = self.spoken.lag_s(past.t_s) if past.gyro_radps is None else 0.0
        at = self.spoken.next(past.t_s, lag_s)
        said, self.before = self.estimator.follow(past, finder, self.before, at)
        # A motion that was lost a moment ago is not found again at once.
        unknown = np.flatnonzero(~said.valid)
        before_s, known_s = self.unknown_s, _REGAINED * no_slip_time_s(self.estimator.radius_m)
        if len(unknown):
            self.unknown_s = float(said.t_s[unknown[-1]])
        return said.unknown_where(said.t_s < before_s + known_s)

    def settled(self, finder: AxleFinder, *, all_of_it: bool = False) -> Motion | None:
        """What has settled since it was last asked for."""
        fresh, self.fresh = self.fresh, []
        return self.prompt.settle(fresh, finder, all_of_it=all_of_it)

    def interrupt(self) -> None:
        """A gap: what comes next has no past."""
        self.window, self.before = [], None
