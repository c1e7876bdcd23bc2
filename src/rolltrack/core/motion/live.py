"""Speed as soon as it can be known: a sliding window, read a fixed time behind its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.constants import MAX_LATENCY_S, mean_period_s, no_slip_time_s
from rolltrack.core.sample import ImuSamples

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.linear import LinearEstimator
    from rolltrack.core.motion.motion import Motion

HOP_S = 0.1
"""How often the window moves on."""
_CONTEXT = 12.0
"""Length of the window in no-slip times (at least 1 s); older readings no longer matter."""


@dataclass(slots=True)
class LiveEstimator:
    """The no-slip inverse needs some future; two to three no-slip times are nearly enough.

    The lag is what `MAX_LATENCY_S` leaves after one hop and one sampling period. With a gyroscope
    there is nothing to wait for.
    """

    radius_m: float
    window: list[ImuSamples] = field(default_factory=list)
    said_until_s: float = -np.inf

    def step(self, hop: ImuSamples, finder: AxleFinder, estimator: LinearEstimator) -> Motion:
        """Take the readings of one hop; say what has become known, oldest first."""
        window = ImuSamples.join([*self.window, hop])
        now_s = float(window.t_s[-1])
        span_s = max(1.0, _CONTEXT * no_slip_time_s(self.radius_m))
        window = window[int(np.searchsorted(window.t_s, now_s - span_s)) :]
        self.window = [window]
        motion = estimator.estimate(window, finder, learn=None)
        lag_s = 0.0
        if window.gyro_radps is None and len(window) > 1:
            period_s = mean_period_s(window.t_s)
            lag_s = max(0.0, MAX_LATENCY_S - HOP_S - 1.5 * period_s)
        oldest_s = max(self.said_until_s, np.nextafter(now_s - MAX_LATENCY_S, -np.inf))
        first, last = np.searchsorted(window.t_s, [oldest_s, now_s - lag_s], side="right")
        said = motion[int(first) : int(last)]
        if len(said):
            self.said_until_s = float(said.t_s[-1])
        return said

    def interrupt(self) -> None:
        """A gap: what comes next has no past."""
        self.window = []
