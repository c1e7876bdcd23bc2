"""A sensor's own clock -> stream seconds.

Radios deliver in bursts: arrival times scatter by tens of milliseconds while the sensor's clock is
good to microseconds. So arrival fixes where a connection starts, and from there the sensor's clock
rules. Its crystal runs fast or slow by some ten parts in a million; over minutes the quickest
arrivals, which no burst delayed, tell by how much.
"""

from __future__ import annotations

import math

import numpy as np

# A stall makes a packet late without limit; none is this much quicker than the quickest before it.
_MOST_EARLY_S = 1.0
_BIN_S = 10.0
_BINS_TO_KNOW, _BINS_KEPT = 12, 60
_LARGEST_DRIFT = 200e-6
"""Crystals are better than that; what seems to drift more is a computer that falls behind."""


class DeviceClock:
    """Unwraps a tick counter and anchors it to the stream; pure, as arrival times are arguments.

    Make a new one for each connection: while the link was down the counter may have restarted.

    Args:
        ticks_per_s: speed of the counter.
        wrap_ticks: the counter starts again at zero after this many.
        after_s: no time given out is at or before this, for example the last reading of the
            connection before.
    """

    def __init__(
        self, ticks_per_s: float = 1e6, wrap_ticks: int = 2**32, after_s: float = -math.inf
    ) -> None:
        self._ticks_per_s = ticks_per_s
        self._wrap_ticks = wrap_ticks
        self._floor_s = after_s
        self._anchor_s: float | None = None
        self._last_ticks = 0
        self._elapsed_ticks = 0
        self._quickest: list[tuple[float, float]] = []
        self._bin_until_s = -math.inf
        self._drift = 0.0

    def restarted(self, ticks: int, arrival_s: float) -> bool:
        """Whether the counter cannot have come here by running on: the sensor has started anew.

        Backwards, or so far ahead that the packet would have come before it was sent. The latter is
        what a restart shortly before the counter wraps looks like: a step to zero, but too soon.
        """
        now_s = self.peek(ticks)
        if now_s is None:
            return False
        if (ticks - self._last_ticks) % self._wrap_ticks >= self._wrap_ticks // 2:
            return True
        least_late_s = min((late_s for _, late_s in self._quickest), default=-math.inf)
        return least_late_s - (arrival_s - now_s) > _MOST_EARLY_S

    def peek(self, ticks: int) -> float | None:
        """Stream seconds of a count, without moving on; None before the first anchor."""
        if self._anchor_s is None:
            return None
        step = (ticks - self._last_ticks) % self._wrap_ticks
        return self._anchor_s + (self._elapsed_ticks + step) * self._tick_s

    @property
    def _tick_s(self) -> float:
        return (1.0 + self._drift) / self._ticks_per_s

    def anchor(self, ticks: int, arrival_s: float, age_s: float, period_s: float) -> float:
        """Start from here: the count `ticks` was `age_s` before `arrival_s`.

        Returns:
            Stream seconds of `ticks`, at least `period_s` after anything given out before.
        """
        self._anchor_s = max(arrival_s - age_s, self._floor_s + period_s)
        self._quickest, self._bin_until_s = [], arrival_s + _BIN_S
        self._elapsed_ticks = 0
        self._last_ticks = ticks
        return self._anchor_s

    def advance(self, ticks: int, arrival_s: float, last_s: float) -> None:
        """Take `ticks` as the newest count; `last_s` is the latest time given out."""
        self._elapsed_ticks += (ticks - self._last_ticks) % self._wrap_ticks
        self._last_ticks = ticks
        self._floor_s = max(self._floor_s, last_s)
        self._follow_drift(arrival_s)

    def _follow_drift(self, arrival_s: float) -> None:
        """Keep the quickest arrival of every ten seconds; a robust line through them is the drift.

        The new rate holds from here on: times given out stay, and none jumps.
        """
        if self._anchor_s is None:
            return
        now_s = self._anchor_s + self._elapsed_ticks * self._tick_s
        late_s = arrival_s - now_s
        if arrival_s >= self._bin_until_s or not self._quickest:
            self._bin_until_s = arrival_s + _BIN_S
            if len(self._quickest) >= _BINS_TO_KNOW:
                off = _slope(self._quickest)
                drift = self._drift + off
                if abs(drift) < _LARGEST_DRIFT:
                    self._anchor_s, self._elapsed_ticks, self._drift = now_s, 0, drift
                    # What was late by the old rate is late by less, or more, by the new one.
                    self._quickest = [(t, late - off * (t - now_s)) for t, late in self._quickest]
            self._quickest = [*self._quickest[1 - _BINS_KEPT :], (now_s, late_s)]
        elif late_s < self._quickest[-1][1]:
            self._quickest[-1] = (now_s, late_s)


def _slope(points: list[tuple[float, float]]) -> float:
    """Median of the slopes between all pairs of points (Theil and Sen)."""
    x, y = np.array(points).T
    a, b = np.triu_indices(len(points), 1)
    return float(np.median((y[b] - y[a]) / (x[b] - x[a])))
