"""Where a stroke passes the threshold: between two readings, and without the blur of smoothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

THRESHOLD_MPS = 0.006
_MOST_BLUR_S = 0.06
_UNEVEN = 1.5
_BLUR_SHARE = 0.5
"""Of what smoothing has added there, so much may be wrong."""


class Instant(NamedTuple):
    """One of motion with a direction; NaN where that is unknown."""

    t_s: float
    speed_mps: float
    blur_mps: float
    sd_mps: float


class Edge(NamedTuple):
    """Seen from the faster one of two instants.

    Attributes:
        above_s: how long it is above the threshold.
        above_m: how far it gets meanwhile.
        late_s: how much later it would be without smoothing.
        vague_s: how wrong the instant may be, as a standard deviation.
    """

    above_s: float = 0.0
    above_m: float = 0.0
    late_s: float = 0.0
    vague_s: float = 0.0


def entered(
    earlier: Instant | None, slower: Instant | None, faster: Instant, direction: int
) -> Edge:
    """Where a stroke begins; nothing where it does not pass the threshold in this direction."""
    if slower is None or not _passes(slower, faster, direction):
        return Edge()
    path = _Path.through(earlier, slower, faster, direction)
    above_s = path.step_s - path.crossing_s
    above_m = path.distance_m(path.step_s) - path.distance_m(path.crossing_s)
    return Edge(above_s, above_m, *_blurred(faster, slower, above_s / path.step_s, direction))


def left(earlier: Instant | None, faster: Instant, slower: Instant, direction: int) -> Edge:
    """Where a stroke ends; nothing where it does not pass the threshold in this direction."""
    if not _passes(slower, faster, direction):
        return Edge()
    path = _Path.through(earlier, faster, slower, direction)
    above_s = path.crossing_s
    share = above_s / path.step_s
    return Edge(above_s, path.distance_m(above_s), *_blurred(faster, slower, share, direction))


def _passes(slower: Instant, faster: Instant, direction: int) -> bool:
    return direction * slower.speed_mps <= THRESHOLD_MPS < direction * faster.speed_mps


class _Path(NamedTuple):
    """Speed v + s x + q x (x - h) at the time x after the first of two instants, h apart.

    A hand pushes off and brakes gently. A straight line would let a stroke begin a millisecond too
    early and end as much too late at 100 Hz, and five at 25 Hz; a parabola through the instant
    before as well does not.
    """

    first_mps: float
    slope_mps2: float
    bend_mps3: float
    step_s: float

    @classmethod
    def through(
        cls, earlier: Instant | None, before: Instant, after: Instant, direction: int
    ) -> _Path:
        step_s = after.t_s - before.t_s
        slope_mps2 = direction * (after.speed_mps - before.speed_mps) / step_s
        bend_mps3 = 0.0
        if earlier is None:
            return cls(direction * before.speed_mps, slope_mps2, bend_mps3, step_s)
        earlier_s = before.t_s - earlier.t_s
        # Across a hole a parabola may lead anywhere.
        if np.isfinite(earlier.speed_mps) and step_s < _UNEVEN * earlier_s:
            was_mps2 = direction * (before.speed_mps - earlier.speed_mps) / earlier_s
            bend_mps3 = (slope_mps2 - was_mps2) / (after.t_s - earlier.t_s)
        return cls(direction * before.speed_mps, slope_mps2, bend_mps3, step_s)

    @property
    def crossing_s(self) -> float:
        """When it passes the threshold, which lies between the speeds at both ends."""
        over_mps = self.first_mps - THRESHOLD_MPS
        linear_mps2 = self.slope_mps2 - self.bend_mps3 * self.step_s
        root = np.sqrt(max(linear_mps2**2 - 4 * self.bend_mps3 * over_mps, 0.0))
        # Of the two roots, which lie to both sides, in the form that loses no digits.
        sum_mps2 = linear_mps2 + np.copysign(root, self.slope_mps2)
        time_s = -2 * over_mps / sum_mps2 if sum_mps2 else 0.0
        return float(np.clip(time_s, 0.0, self.step_s))

    def distance_m(self, time_s: float) -> float:
        """Since the first instant."""
        bend = time_s**3 / 3 - self.step_s * time_s**2 / 2
        return self.first_mps * time_s + self.slope_mps2 * time_s**2 / 2 + self.bend_mps3 * bend


def _blurred(faster: Instant, slower: Instant, share: float, direction: int) -> tuple[float, float]:
    """How much later without smoothing, and how vague, at a share of the way to the slower one."""
    gain_mps2 = direction * (faster.speed_mps - slower.speed_mps) / (faster.t_s - slower.t_s)
    blur_mps = direction * (faster.blur_mps + share * (slower.blur_mps - faster.blur_mps))
    late_s = min(max(blur_mps / gain_mps2, -_MOST_BLUR_S), _MOST_BLUR_S)
    sd_s = (faster.sd_mps + share * (slower.sd_mps - faster.sd_mps)) / abs(gain_mps2)
    return late_s, float(np.hypot(min(sd_s, _MOST_BLUR_S), _BLUR_SHARE * late_s))
