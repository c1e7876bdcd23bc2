"""A roller's speed as soon as it can be known: a sliding window, read a little behind its end.

The no-slip inverse needs some future: what comes within three no-slip times still tells something
about an instant, and `MAX_LATENCY_S` is all there is to wait. With a gyroscope less will do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.batch import Constants
from rolltrack.core.motion.carried import DOUBTFUL, WINDOW_S, restlessness
from rolltrack.core.motion.constants import (
    KNOCK_MPS2,
    MAX_LATENCY_S,
    ROUNDING_S,
    mean_period_s,
    no_slip_time_s,
)
from rolltrack.core.motion.gyroscope import from_gyroscope
from rolltrack.core.motion.live import Spoken
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.normal import Readings
from rolltrack.core.motion.phase import in_plane, plane_across
from rolltrack.core.motion.short import cross
from rolltrack.core.motion.validity import model_holds, where_valid
from rolltrack.core.motion.window import RECHECK, SETTLED, SHORTEST, SPAN, SlidingWindow
from rolltrack.core.sample import FloatArray, ImuSamples, zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.sample import BoolArray

_LAG_WITH_GYRO_S = 0.1
_FEWEST = 16
"""Readings; fewer are no start."""
_PATIENCE_S = 10.0
"""How long to hold readings back while the axle is not known yet."""
_LOST_S = 0.5
"""Carried for longer than this, the angle is lost; a moment of doubt does not lose it."""
_CARRIED_EVERY = 2
"""Hops between looks whether it is carried: hands take longer than that."""
_ASKEW_RAD = 0.03
"""About an axle this far from the one found now, nothing was learnt that would help."""
_VAGUE_MPS, _VAGUE_SHARE = 0.0125, 0.1
"""What is vaguer helps nobody at that moment; a stroke may still be made of it."""


@dataclass(slots=True)
class RollerLive:
    """Learns the sensor's constants as it goes.

    Attributes:
        radius_m: rolling radius.
        window: the estimate, None before the first readings about a known axle.
        axle: (3,) the axle it was made for.
        plane: (3, 2) the plane across it.
        past: the readings still needed.
        first_s: those from here on are in the window.
        spoken: what was said live.
        settled_s: until when motion has settled.
        blocks: settled motion, not yet asked for.
        tail: the motion after it, as it looks now.
        carried_s: times of readings that were felt in somebody's hands.
        doubtful_s: times of readings that may have been.
        hops: how many there were.
    """

    radius_m: float
    window: SlidingWindow | None = None
    axle: FloatArray | None = None
    plane: FloatArray | None = None
    past: list[ImuSamples] = field(default_factory=list)
    first_s: float = -np.inf
    spoken: Spoken = field(default_factory=Spoken)
    settled_s: float = -np.inf
    blocks: list[Motion] = field(default_factory=list)
    tail: Motion | None = None
    carried_s: FloatArray = field(default_factory=lambda: zeros(0))
    doubtful_s: FloatArray = field(default_factory=lambda: zeros(0))
    hops: int = 0

    def heir(self) -> RollerLive:
        """One for the next session of the same roller."""
        window = None if self.window is None else self.window.heir()
        return RollerLive(self.radius_m, window, self.axle, self.plane)

    def begin(self, earlier: ImuSamples, finder: AxleFinder) -> None:
        """Take readings from before the session; nothing of them will be said live."""
        self.past = []
        self.spoken.until_s = float(earlier.t_s[-1])
        self.step(earlier, finder)

    def step(self, hop: ImuSamples, finder: AxleFinder) -> Motion:
        """Take the readings of one hop; say what has become known, oldest first."""
        past = ImuSamples.join([*self.past, hop])
        lag_s, wait_s = 0.0, SETTLED * self._tau_s
        if past.accel_mps2 is None and past.gyro_radps is not None:
            motion = self._turn(past, past.gyro_radps, finder)
        elif finder.axle is None:
            motion = Motion.unknown(past.t_s)
        else:
            lag_s = self.spoken.lag_s(past.t_s)
            if past.gyro_radps is not None:
                lag_s = min(lag_s, _LAG_WITH_GYRO_S)
            motion = self._roll(past, finder.axle, finder, lag_s)
        if finder.axle is None:
            wait_s = _PATIENCE_S
        self._settle(motion, wait_s)
        now_s = float(past.t_s[-1])
        oldest_s = min(now_s - WINDOW_S, self.settled_s)
        if self.window is not None and self.window.track is not None:
            oldest_s = min(oldest_s, self.first_s)
        self.past = [past[int(np.searchsorted(past.t_s, oldest_s - ROUNDING_S)) :]]
        said = motion[self.spoken.next(past.t_s, lag_s)]
        vague = said.speed_sd_mps > _VAGUE_MPS + _VAGUE_SHARE * np.abs(said.speed_mps)
        return said.unknown_where(vague | _among(said.t_s, self.doubtful_s))

    def settled(self, finder: AxleFinder, *, all_of_it: bool = False) -> Motion | None:  # noqa: ARG002 - a ball needs it
        """What has settled since it was last asked for."""
        if all_of_it and self.tail is not None and len(self.tail):
            self.blocks.append(self.tail)
            self.settled_s, self.tail = float(self.tail.t_s[-1]), None
        blocks, self.blocks = self.blocks, []
        return Motion.join(blocks) if blocks else None

    def interrupt(self) -> None:
        """A gap: what comes next has no past."""
        self.past, self.tail, self.first_s = [], None, -np.inf
        if self.window is not None:
            self.window.interrupt()

    @property
    def _tau_s(self) -> float:
        return no_slip_time_s(self.radius_m)

    def _settle(self, motion: Motion, wait_s: float) -> None:
        until_s = float(motion.t_s[-1]) - wait_s
        first, last = np.searchsorted(motion.t_s, [self.settled_s, until_s], side="right")
        if last > first:
            self.blocks.append(motion[int(first) : int(last)])
            self.settled_s = float(motion.t_s[last - 1])
        self.tail = motion[max(int(first), int(last)) :]

    def _turn(self, past: ImuSamples, rate_radps: FloatArray, finder: AxleFinder) -> Motion:
        """Motion at all readings of the past, by a gyroscope alone."""
        motion = from_gyroscope(past, rate_radps, finder, self.radius_m)
        if finder.axle is None:
            return motion
        self.hops += 1
        self._look_out(past, finder.axle)
        return motion.unknown_where(_among(past.t_s, self.carried_s))

    def _roll(self, past: ImuSamples, axle: FloatArray, finder: AxleFinder, lag_s: float) -> Motion:
        """Motion at all readings of the past; unknown before the window."""
        assert past.accel_mps2 is not None  # noqa: S101 - the caller has looked; for the type checker
        self.hops += 1
        plane = self._face(axle, finder.along_mps2)
        window = self._fitting(past, finder)
        self._look_out(past, axle)
        carried = _among(past.t_s, self.carried_s)
        # Of the newest readings nobody can tell yet.
        carried[int(np.searchsorted(past.t_s, past.t_s[-1] - lag_s, side="right")) :] = False
        if self._lost(past.t_s, carried, lag_s):
            window.interrupt()
            self.first_s = float(past.t_s[np.flatnonzero(carried)[-1]])
            return Motion.unknown(past.t_s)
        first = int(np.searchsorted(past.t_s, self.first_s))
        part = past[first:]
        if len(part) < _FEWEST or part.t_s[-1] - part.t_s[0] < SHORTEST * self._tau_s:
            return Motion.unknown(past.t_s)
        assert part.accel_mps2 is not None  # noqa: S101 - part of what has it
        z = in_plane(part.accel_mps2, plane)
        wild = carried[first:] | (np.abs(z) > KNOCK_MPS2)
        if part.clipped is not None:
            wild = wild | part.clipped
        readings = Readings(
            z,
            None if part.gyro_radps is None else part.gyro_radps @ axle,
            self._tau_s**2,
            mean_period_s(part.t_s),
            trusted=np.where(wild, 0.0, 1.0),
            ground=window.ground.ground,
        )
        try:
            found = self._estimate(window, part, readings)
        except np.linalg.LinAlgError:
            window.interrupt()
            self.first_s = float(part.t_s[-1]) - SETTLED * self._tau_s
            return Motion.unknown(past.t_s)
        found = found.unknown_where(carried[first:])
        return Motion.unknown(past.t_s[:first]).followed_by(found)

    def _look_out(self, past: ImuSamples, axle: FloatArray) -> None:
        """Is it in somebody's hands?"""
        if self.hops % _CARRIED_EVERY == 0:
            restless = restlessness(past, axle, MAX_LATENCY_S)
            self.carried_s = past.t_s[restless > 1.0]
            self.doubtful_s = past.t_s[restless > DOUBTFUL]

    def _lost(self, t_s: FloatArray, carried: BoolArray, lag_s: float) -> bool:
        """Whether it is carried now, and has been for so long that nobody knows its angle."""
        latest = int(np.searchsorted(t_s, t_s[-1] - lag_s, side="right"))
        earliest = int(np.searchsorted(t_s, t_s[-1] - lag_s - _LOST_S))
        return latest > earliest and bool(carried[earliest:latest].all())

    def _face(self, axle: FloatArray, along_mps2: float) -> FloatArray:
        """(3, 2) the plane across the axle, turned as little as possible from the one before.

        What is felt along the axle, as on a slope, then shows a little more or less in the plane.
        """
        if self.plane is None or self.axle is None or axle @ self.axle < np.cos(_ASKEW_RAD):
            self.window, self.plane = None, plane_across(axle)
        elif axle is not self.axle:
            if self.window is not None:
                self.window.shift_bias(-along_mps2 * (axle @ self.plane))
            e1 = self.plane[:, 0] - (self.plane[:, 0] @ axle) * axle
            e1 /= np.sqrt(e1 @ e1)
            self.plane = np.column_stack([e1, cross(e1, axle)])
        self.axle = axle
        return self.plane

    def _fitting(self, past: ImuSamples, finder: AxleFinder) -> SlidingWindow:
        """The window, a new one if there is none for these sensors."""
        gyroscope = past.gyro_radps is not None
        if self.window is None or self.window.gyroscope != gyroscope:
            base = Constants.prior(self.radius_m, gyroscope=gyroscope)
            if gyroscope and self.axle is not None:
                base.mean[-2] = finder.rate_bias_radps @ self.axle
            self.window = SlidingWindow(base, self._tau_s**2)
        return self.window

    def _estimate(self, window: SlidingWindow, part: ImuSamples, readings: Readings) -> Motion:
        t_s = part.t_s
        if window.track is None:
            self.first_s = float(t_s[0])
            window.begin(t_s, readings)
        glimpse = window.advance(t_s, readings, self._marks(t_s))
        if not window.gyroscope:
            window.recover(t_s, readings, glimpse, look=self.hops % RECHECK == 0)
        rate, sd = glimpse.rate_radps, glimpse.rate_sd_radps
        valid = model_holds(
            readings.z,
            glimpse.residual,
            glimpse.noise_sd_mps2,
            self.radius_m * rate,
            self._tau_s,
            readings.period_s,
        )
        if glimpse.shaken:
            valid &= t_s < t_s[-1] - SETTLED * self._tau_s
        motion = where_valid(part, rate, sd, self.radius_m, valid, glimpse.blur_radps)
        gone = window.marginalise(t_s, readings, float(t_s[-1]) - SPAN * self._tau_s)
        self.first_s = float(t_s[gone])
        return motion

    def _marks(self, t_s: FloatArray) -> NDArray[np.intp]:
        """Indices of instants between which the standard deviation is interpolated."""
        now_s = float(t_s[-1])
        ages_s = np.array([SETTLED * self._tau_s, MAX_LATENCY_S, 0.0])
        at = np.searchsorted(t_s, now_s - np.sort(ages_s)[::-1] - ROUNDING_S)
        return np.array(sorted(set(np.minimum(at, len(t_s) - 1).tolist())))


def _among(t_s: FloatArray, those_s: FloatArray) -> BoolArray:
    """(n,) which of the times t_s (n,) are those."""
    return np.isin(t_s, those_s) if len(those_s) else np.zeros(len(t_s), dtype=bool)
