"""A worn phone while it is worn: strokes some seconds late, and never a live speed.

Twice integrated acceleration tells a speed only once the body has turned back, so within the 0.3 s
that a live speed may take there is nothing to say but "unknown".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rolltrack.core.motion.body.estimator import MARGIN_S, BodyEstimator
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.smoother import Smoother

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.sample import ImuSamples

_PROMPT_SPAN_S = 1.0


@dataclass(slots=True)
class BodyLive:
    """Prompt strokes come `MARGIN_S` after they ended.

    Attributes:
        radius_m: not needed: a body's speed does not depend on it.
        estimator: learns from what has settled.
    """

    radius_m: float
    estimator: BodyEstimator = field(default_factory=BodyEstimator)
    fresh: list[ImuSamples] = field(default_factory=list)
    prompt: Smoother = field(init=False)

    def __post_init__(self) -> None:
        self.prompt = Smoother(self.radius_m, _PROMPT_SPAN_S, self.estimator, MARGIN_S)

    def heir(self) -> BodyLive:
        """One for the next session of the same wearer."""
        return BodyLive(self.radius_m, self.estimator.heir())

    def begin(self, earlier: ImuSamples, finder: AxleFinder) -> None:  # noqa: ARG002 - a roller needs it
        """Take readings from before the session."""
        self.fresh = [earlier]

    def step(self, hop: ImuSamples, finder: AxleFinder) -> Motion:  # noqa: ARG002 - a roller needs it
        """Take the readings of one hop; their speed is unknown."""
        self.fresh.append(hop)
        return Motion.unknown(hop.t_s)

    def settled(self, finder: AxleFinder, *, all_of_it: bool = False) -> Motion | None:
        """What has settled since it was last asked for."""
        fresh, self.fresh = self.fresh, []
        return self.prompt.settle(fresh, finder, all_of_it=all_of_it)

    def interrupt(self) -> None:
        """A gap: the smoother was emptied before it."""
