"""Speed as soon as it can be known, and the motion that prompt strokes are made of.

Live speed is said within `MAX_LATENCY_S`; the same estimate, a second later, has settled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rolltrack.core.motion.constants import MAX_LATENCY_S, ROUNDING_S
from rolltrack.core.motion.short import median

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.motion import Motion
    from rolltrack.core.sample import FloatArray, ImuSamples

HOP_S = 0.05
"""How often live speed is said, less one sampling period."""
HURRIED_HOP_S = 0.19
"""The same for those who are short of time: a third of the work."""


class LiveEstimator(Protocol):
    """Follows one session's readings."""

    def heir(self) -> LiveEstimator:
        """One for the next session of the same roller."""
        ...

    def begin(self, earlier: ImuSamples, finder: AxleFinder) -> None:
        """Take readings from before the session; nothing of them will be said live."""
        ...

    def step(self, hop: ImuSamples, finder: AxleFinder) -> Motion:
        """Take the readings of one hop; say what has become known, oldest first."""
        ...

    def settled(self, finder: AxleFinder, *, all_of_it: bool = False) -> Motion | None:
        """What has settled since it was last asked for; all there is, before a gap or at the end.

        Every reading settles once.
        """
        ...

    def interrupt(self) -> None:
        """A gap: what comes next has no past."""
        ...


_RECENT_S = 1.0
_ROUNDING, _MARGIN_S = 0.01, 1e-3


@dataclass(slots=True)
class Spoken:
    """Which instants are next to be said live.

    Attributes:
        until_s: the last instant said.
    """

    until_s: float = field(default=-np.inf)

    def lag_s(self, t_s: FloatArray) -> float:
        """How long to wait with readings t_s (n,) up to now: what is left after one hop.

        A hop ends with the first reading that is `HOP_S` after its first; that one may be as late
        as any was within the last second.
        """
        steps_s = np.diff(t_s[int(np.searchsorted(t_s, t_s[-1] - _RECENT_S - ROUNDING_S)) :])
        if not len(steps_s):
            return MAX_LATENCY_S - HOP_S
        period_s = median(steps_s)
        hop_s = (np.ceil(HOP_S / period_s - _ROUNDING) + 1.0) * period_s
        late_s = float(steps_s.max()) - period_s
        return max(0.0, MAX_LATENCY_S - float(hop_s) - late_s - _MARGIN_S)

    def next(self, t_s: FloatArray, lag_s: float) -> slice:
        """Those readings t_s (n,) up to now that are older than `lag_s` but not too old."""
        now_s = float(t_s[-1])
        oldest_s = max(self.until_s, np.nextafter(now_s - MAX_LATENCY_S, -np.inf))
        first, last = np.searchsorted(t_s, [oldest_s, now_s - lag_s], side="right")
        if last > first:
            self.until_s = float(t_s[last - 1])
        return slice(int(first), int(last))
