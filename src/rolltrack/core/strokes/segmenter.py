"""Motion -> strokes, by the rule that the outside relies on.

A stroke is a run of one direction with |speed| above 6 mm/s, same-direction pauses shorter than
0.25 s bridged, at least 25 mm long and 0.25 s. It begins and ends between two readings (`edge`):
from reading to reading it would be one of them short, and its mean 0.3 % too large at 100 Hz.
Smoothing lets a stroke begin too early and end too late; as far as motion says how much it has
added to the speed, that is undone. Unknown instants are bridged like pauses, and the stroke says
so; longer ones, and gaps, end it. One that was under way when motion began, or still is when it
ends, says so too.

Where the estimator says which way it goes but not how fast, that decides, and the stroke has no
speed; that it is long enough is then for the estimator to know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rolltrack.core.strokes.edge import THRESHOLD_MPS, Instant, entered, left
from rolltrack.core.strokes.stroke import Stroke

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.core.motion.motion import Motion
    from rolltrack.core.sample import FloatArray

LONGEST_PAUSE_S = 0.25
SHORTEST_S = 0.25
SHORTEST_M = 0.025
_BEND = 0.25
"""Across an unknown time T the speed is taken as a straight line. One that bends in the middle,
by the acceleration a, goes a T^2 / 4 further."""

_UNKNOWN = 2


class _Run(NamedTuple):
    """Neighbouring instants of one kind: +1 and -1 above the threshold, 0 below it, 2 unknown."""

    kind: int
    start: int
    stop: int


@dataclass(slots=True)
class _Open:
    """A stroke that may go on."""

    direction: int
    start_s: float
    start_m: float
    last_s: float
    last_m: float
    peak_mps: float = 0.0
    variance_sum: float = 0.0
    instants: int = 0
    partly_unknown: bool = False
    unknown_from_s: float | None = None
    bends_s4: float = 0.0
    has_speed: bool = True
    error_memory_s: float = 0.0
    start_late_s: float = 0.0
    last_late_s: float = 0.0
    start_vague_s: float = 0.0
    last_vague_s: float = 0.0
    start_cut_mps: float = 0.0
    last_cut_mps: float = 0.0

    def acceleration_mps2(self, duration_s: float) -> float:
        """Of a push that swings up to the peak and back to rest, as a root mean square."""
        return float(np.pi / np.sqrt(2.0)) * self.peak_mps / duration_s

    def unseen_mps(self, cut_mps: float, length_m: float, duration_s: float) -> float:
        """How much slower the whole stroke is than what was seen, if it was cut at this speed."""
        if not cut_mps > THRESHOLD_MPS:  # nor where it is not known
            return 0.0
        rest_s = cut_mps / self.acceleration_mps2(duration_s)
        whole_mps = (length_m + cut_mps * rest_s / 2) / (duration_s + rest_s)
        return length_m / duration_s - whole_mps


@dataclass(slots=True)
class Segmenter:
    """Finds strokes in motion that comes in blocks; carries an open one from block to block.

    Attributes:
        known: time and size of the last speed that was known.
        previous: the newest instant.
        earlier: the one before.
        earliest_s: no stroke begins before; the last one ended then, or a gap.
    """

    count: int = 0
    travelled_m: float = 0.0
    known: tuple[float, float] = (-np.inf, 0.0)
    previous: Instant | None = None
    earlier: Instant | None = None
    earliest_s: float = -np.inf
    unknown_until_s: float = -np.inf
    after_gap: bool = False
    open: _Open | None = field(default=None)

    def feed(self, motion: Motion) -> list[Stroke]:
        """Take the next instants; the strokes that ended with them."""
        if not len(motion):
            return []
        if self.after_gap:
            self.unknown_until_s = self.earliest_s = float(motion.t_s[0])
            self.after_gap = False
        strokes: list[Stroke] = []
        travelled = self._distance(motion)
        for run in _runs(motion):
            strokes += self._take(run, motion, travelled)
        self.earlier, self.previous = (self._before(motion, len(motion) - n) for n in (1, 0))
        return strokes

    def _before(self, motion: Motion, index: int) -> Instant | None:
        """The instant before one, which the block before may have held."""
        if index >= 1:
            return _instant(motion, index - 1)
        return self.previous if index == 0 else self.earlier

    def end_stretch(self, *, gap: bool) -> list[Stroke]:
        """The end of a session completes an open stroke; a gap cuts it, and the next one, short."""
        if self.open is not None and self.previous is not None:
            under_way = self.previous.t_s == self.open.last_s
            self.open.partly_unknown |= gap or under_way
            if gap:
                seen_s = self.previous.t_s - self.open.last_s
                self.open.last_late_s = min(self.open.last_late_s, seen_s)
        strokes = self._close()
        if gap and self.previous is not None:
            self.after_gap = True
        self.previous = self.earlier = None
        return strokes

    def _distance(self, motion: Motion) -> FloatArray:
        """(n,) surface distance up to each instant; across unknown ones speed is interpolated."""
        t_s, speed = motion.t_s, np.abs(motion.speed_mps)
        before_s = float(t_s[0]) if self.previous is None else self.previous.t_s
        known_s, known_mps = (before_s, 0.0) if self.previous is None else self.known
        held_s, caught_up_m = before_s - known_s, 0.0
        before_mps = known_mps
        if held_s > 0.0 or not motion.valid.all():
            known = np.concatenate([[True], motion.valid])
            times = np.concatenate([[known_s], t_s])[known]
            speeds = np.concatenate([[known_mps], speed])[known]
            speed = np.interp(t_s, times, speeds)
            before_mps = float(np.interp(before_s, times, speeds))
            # Up to here the speed was held, as nobody knew where it would go.
            caught_up_m = (before_mps - known_mps) / 2 * held_s
        steps_s = np.diff(t_s, prepend=before_s)
        steps_mps = (speed + np.concatenate([[before_mps], speed[:-1]])) / 2
        travelled: FloatArray = self.travelled_m + caught_up_m + np.cumsum(steps_mps * steps_s)
        if motion.valid.any():
            last = int(np.flatnonzero(motion.valid)[-1])
            self.known = (float(t_s[last]), float(speed[last]))
        elif self.previous is None:
            self.known = (known_s, known_mps)
        self.travelled_m = float(travelled[-1])
        return travelled

    def _take(self, run: _Run, motion: Motion, travelled: FloatArray) -> list[Stroke]:
        before, earlier = (self._before(motion, run.start - n) for n in (0, 1))
        first, stop_s = _instant(motion, run.start), float(motion.t_s[run.stop - 1])
        strokes: list[Stroke] = []
        if self.open is not None and before is not None and before.t_s == self.open.last_s:
            end = left(earlier, before, first, self.open.direction)
            self.open.last_s += end.above_s
            self.open.last_m += end.above_m
            self.open.last_late_s = end.late_s
            self.open.last_vague_s = end.vague_s
            if end.above_s > 0.0:
                self.open.last_cut_mps = 0.0
        if run.kind in {-1, 1}:
            begin = entered(earlier, before, first, run.kind)
            start_s = first.t_s - begin.above_s
            pause_s = np.inf if self.open is None else start_s - self.open.last_s
            if self.open is None or self.open.direction != run.kind or pause_s >= LONGEST_PAUSE_S:
                strokes = self._close()
                start_m = float(travelled[run.start]) - begin.above_m
                self.open = _Open(run.kind, start_s, start_m, start_s, start_m)
                self.open.start_vague_s = begin.vague_s
                self.open.start_cut_mps = 0.0 if begin.above_s > 0.0 else abs(first.speed_mps)
                self.open.start_late_s = max(begin.late_s, self.earliest_s - start_s)
            if before is None or start_s - self.unknown_until_s < LONGEST_PAUSE_S:
                self.open.partly_unknown = True
            self._extend(self.open, run, motion, travelled)
        elif self.open is not None and stop_s - self.open.last_s >= LONGEST_PAUSE_S:
            self.open.partly_unknown |= self._unknown_near(run, motion)
            strokes = self._close()
        elif self.open is not None and run.kind == _UNKNOWN:
            self.open.partly_unknown = True
            if self.open.unknown_from_s is None:
                self.open.unknown_from_s = first.t_s if before is None else before.t_s
        if run.kind == _UNKNOWN:
            self.unknown_until_s = stop_s
        return strokes

    def _unknown_near(self, run: _Run, motion: Motion) -> bool:
        """Whether an unknown run begins right where the open stroke was last seen."""
        last_s = -np.inf if self.open is None else self.open.last_s
        return run.kind == _UNKNOWN and float(motion.t_s[run.start]) - last_s < LONGEST_PAUSE_S

    @staticmethod
    def _extend(stroke: _Open, run: _Run, motion: Motion, travelled: FloatArray) -> None:
        part = slice(run.start, run.stop)
        if stroke.unknown_from_s is not None:
            bridged_s = float(motion.t_s[run.start]) - stroke.unknown_from_s
            stroke.bends_s4 += (_BEND * bridged_s**2) ** 2
            stroke.unknown_from_s = None
        stroke.last_s = float(motion.t_s[run.stop - 1])
        stroke.last_m = float(travelled[run.stop - 1])
        stroke.last_late_s = stroke.last_vague_s = 0.0
        stroke.last_cut_mps = abs(float(motion.speed_mps[run.stop - 1]))
        stroke.has_speed &= bool(motion.valid[part].all())
        stroke.error_memory_s = motion.error_memory_s
        stroke.peak_mps = max(stroke.peak_mps, float(np.abs(motion.speed_mps[part]).max()))
        stroke.variance_sum += float(np.sum(motion.speed_sd_mps[part] ** 2))
        stroke.instants += run.stop - run.start

    def _close(self) -> list[Stroke]:
        ended, self.open = self.open, None
        if ended is None:
            return []
        start_s, end_s = ended.start_s + ended.start_late_s, ended.last_s + ended.last_late_s
        duration_s = end_s - start_s
        length_m = ended.last_m - ended.start_m
        length_m += THRESHOLD_MPS * (ended.last_late_s - ended.start_late_s)
        if duration_s < SHORTEST_S or (ended.has_speed and length_m < SHORTEST_M):
            return []
        self.count += 1
        self.earliest_s = end_s
        share = min(1.0, ended.error_memory_s / duration_s)
        variance = share * ended.variance_sum / ended.instants
        variance += ended.bends_s4 * (ended.acceleration_mps2(duration_s) / duration_s) ** 2
        vague_s = float(np.hypot(ended.start_vague_s, ended.last_vague_s))
        variance += (length_m / duration_s * vague_s / duration_s) ** 2
        for cut_mps in (ended.start_cut_mps, ended.last_cut_mps):
            variance += ended.unseen_mps(cut_mps, length_m, duration_s) ** 2
        sd_mps = float(np.sqrt(variance))
        return [
            Stroke(
                n=self.count,
                start_s=start_s,
                end_s=end_s,
                direction=ended.direction,
                length_m=length_m if ended.has_speed else None,
                peak_speed_mps=ended.peak_mps if ended.has_speed else None,
                mean_speed_sd_mps=sd_mps if ended.has_speed else None,
                partly_unknown=ended.partly_unknown,
            )
        ]


def _instant(motion: Motion, i: int) -> Instant:
    blur_mps = 0.0 if motion.blur_mps is None else float(motion.blur_mps[i])
    speed_mps = float(motion.speed_mps[i]) if motion.way is None else np.nan
    return Instant(float(motion.t_s[i]), speed_mps, blur_mps, float(motion.speed_sd_mps[i]))


def _runs(motion: Motion) -> Iterator[_Run]:
    kind = np.where(np.abs(motion.speed_mps) > THRESHOLD_MPS, np.sign(motion.speed_mps), 0.0)
    if motion.way is not None:
        kind = motion.way
    kind = np.where(motion.nothing_known, _UNKNOWN, kind).astype(int)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(kind)) + 1])
    stops = np.concatenate([starts[1:], [len(kind)]])
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        yield _Run(int(kind[start]), start, stop)
