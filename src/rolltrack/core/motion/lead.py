"""A beginning for the final estimate where gravity's phase gives none.

Turned fast, a sensor off the axle feels more of its own circling than of gravity: at 3 cm from the
axle as much from 18 rad/s on. The force's phase then tells nothing of the angle. But no roller
starts so fast: followed from where it was slow, hop by hop, with the lever arm learnt there, the
angle is not lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.batch import Lead, knot_spacing_s
from rolltrack.core.motion.window import RECHECK, SETTLED, SHORTEST, SPAN, SlidingWindow

if TYPE_CHECKING:
    from rolltrack.core.motion.batch import Constants
    from rolltrack.core.motion.normal import Readings
    from rolltrack.core.sample import FloatArray

_HOP_S = 0.06


def followed(t_s: FloatArray, readings: Readings, known: Constants) -> Lead:
    """Angle and constants by a window that slides over N readings.

    Where it loses the roller, as in somebody's hands, it begins anew, and the angle stands still.

    Args:
        t_s: (N,) strictly increasing.
        readings: what was measured at these times.
        known: the sensor's constants as far as they are known.
    """
    follower = _Follower(t_s, readings, SlidingWindow(known, readings.k_s2))
    hop = max(1, round(_HOP_S / readings.period_s))
    for n, now in enumerate([*range(follower.least, len(t_s), hop), len(t_s)]):
        try:
            follower.step(now, look=n % RECHECK == 0)
        except np.linalg.LinAlgError:
            follower.lose(now)
    return Lead(follower.angle_rad, follower.window.q)


@dataclass(slots=True)
class _Follower:
    """The window on its way.

    Attributes:
        first: index of the oldest reading in the window.
        done: how many readings have got an angle.
        angle_rad: (N,) theirs.
    """

    t_s: FloatArray
    readings: Readings
    window: SlidingWindow
    first: int = 0
    done: int = 0
    angle_rad: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.angle_rad = np.empty(len(self.t_s))

    @property
    def tau_s(self) -> float:
        """The no-slip time."""
        return float(np.sqrt(self.readings.k_s2))

    @property
    def least(self) -> int:
        """How many readings make a beginning."""
        return round(SHORTEST * self.tau_s / self.readings.period_s)

    def step(self, now: int, *, look: bool) -> None:
        """Take the readings up to an index.

        Raises:
            numpy.linalg.LinAlgError: the window lost the roller.
        """
        t_s, ground = self.t_s[self.first : now], self.window.ground.ground
        seen = replace(self.readings.between(self.first, now), ground=ground)
        if self.window.track is None:
            self.window.begin(t_s, seen)
        glimpse = self.window.advance(t_s, seen, np.zeros(1, dtype=np.intp))
        self.window.recover(t_s, seen, glimpse, look=look)
        track = self.window.track
        assert track is not None  # noqa: S101 - just advanced; for the type checker
        turned = track.angle_rad(t_s, knot_spacing_s(self.tau_s))
        if self.done > self.first:
            # A window that has begun anew counts its revolutions from another one.
            turns = self.angle_rad[self.done - 1] - turned[self.done - 1 - self.first]
            turned += 2 * np.pi * np.rint(turns / (2 * np.pi))
        settled_s = float(t_s[-1]) - SETTLED * self.tau_s
        until = now if now == len(self.t_s) else int(np.searchsorted(self.t_s, settled_s))
        if until > self.done:
            self.angle_rad[self.done : until] = turned[self.done - self.first : until - self.first]
            self.done = until
        self.first += self.window.marginalise(t_s, seen, float(t_s[-1]) - SPAN * self.tau_s)

    def lose(self, now: int) -> None:
        """Begin anew before this index; what is known of the sensor stays."""
        self.window.interrupt()
        if now > self.done:
            self.angle_rad[self.done : now] = self.angle_rad[self.done - 1] if self.done else 0.0
            self.done = now
        self.first = max(self.first, now - self.least)
