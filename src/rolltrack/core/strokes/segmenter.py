"""Motion -> strokes, by the rule that the outside relies on.

A stroke is a run of one direction with |speed| above 6 mm/s, same-direction pauses shorter than
0.25 s bridged, at least 25 mm long and 0.25 s. It begins and ends between two readings, where a
straight line through their speeds passes 6 mm/s: from reading to reading it would be one of them
short, and its mean 0.3 % too large at 100 Hz. Unknown instants are bridged like pauses, and the
stroke says so; longer ones, and gaps, end it.

Where the estimator says which way it goes but not how fast, that decides, and the stroke has no
speed; that it is long enough is then for the estimator to know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rolltrack.core.strokes.stroke import Stroke

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.core.motion.motion import Motion
    from rolltrack.core.sample import FloatArray

THRESHOLD_MPS = 0.006
LONGEST_PAUSE_S = 0.25
SHORTEST_S = 0.25
SHORTEST_M = 0.025

_UNKNOWN = 2


class _Run(NamedTuple):
    """Neighbouring instants of one kind: +1 and -1 above the threshold, 0 below it, 2 unknown."""

    kind: int
    start: int
    stop: int


class _Step(NamedTuple):
    """From the last instant of a run to the first of the next; NaN where a speed is unknown."""

    before_s: float | None
    before_mps: float
    t_s: float
    speed_mps: float

    def already_above(self, direction: int) -> tuple[float, float]:
        """How long before the second instant it has been above the threshold, and how far."""
        return self._above(direction * self.speed_mps, direction * self.before_mps)

    def still_above(self, direction: int) -> tuple[float, float]:
        """How long after the first instant it still was above the threshold, and how far."""
        return self._above(direction * self.before_mps, direction * self.speed_mps)

    def _above(self, faster_mps: float, slower_mps: float) -> tuple[float, float]:
        if self.before_s is None or not slower_mps <= THRESHOLD_MPS < faster_mps:
            return 0.0, 0.0
        share = (faster_mps - THRESHOLD_MPS) / (faster_mps - slower_mps)
        above_s = share * (self.t_s - self.before_s)
        return above_s, above_s * (faster_mps + THRESHOLD_MPS) / 2


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
    has_speed: bool = True
    error_memory_s: float = 0.0


@dataclass(slots=True)
class Segmenter:
    """Finds strokes in motion that comes in blocks; carries an open one from block to block."""

    count: int = 0
    travelled_m: float = 0.0
    previous_s: float | None = None
    previous_mps: float = 0.0
    previous_signed_mps: float = np.nan
    unknown_until_s: float = -np.inf
    after_gap: bool = False
    open: _Open | None = field(default=None)

    def feed(self, motion: Motion) -> list[Stroke]:
        """Take the next instants; the strokes that ended with them."""
        if not len(motion):
            return []
        if self.after_gap:
            self.unknown_until_s, self.after_gap = float(motion.t_s[0]), False
        strokes: list[Stroke] = []
        before_s = self.previous_s
        travelled = self._distance(motion)
        signed = motion.speed_mps if motion.way is None else np.full(len(motion), np.nan)
        for run in _runs(motion):
            step = _Step(
                before_s if run.start == 0 else float(motion.t_s[run.start - 1]),
                self.previous_signed_mps if run.start == 0 else float(signed[run.start - 1]),
                float(motion.t_s[run.start]),
                float(signed[run.start]),
            )
            strokes += self._take(run, step, motion, travelled)
        self.previous_signed_mps = float(signed[-1])
        return strokes

    def end_stretch(self, *, gap: bool) -> list[Stroke]:
        """The end of a session completes an open stroke; a gap cuts it, and the next one, short."""
        if gap and self.open is not None:
            self.open.partly_unknown = True
        strokes = self._close()
        if gap and self.previous_s is not None:
            self.after_gap = True
        self.previous_s, self.previous_signed_mps = None, np.nan
        return strokes

    def _distance(self, motion: Motion) -> FloatArray:
        """(n,) surface distance up to each instant; across unknown ones speed is interpolated."""
        t_s, speed = motion.t_s, np.abs(motion.speed_mps)
        before_s = t_s[0] if self.previous_s is None else self.previous_s
        if not motion.valid.all():
            known = np.concatenate([[True], motion.valid])
            times = np.concatenate([[before_s], t_s])[known]
            speed = np.interp(t_s, times, np.concatenate([[self.previous_mps], speed])[known])
        steps_s = np.diff(t_s, prepend=before_s)
        steps_mps = (speed + np.concatenate([[self.previous_mps], speed[:-1]])) / 2
        travelled: FloatArray = self.travelled_m + np.cumsum(steps_mps * steps_s)
        self.previous_s, self.previous_mps = float(t_s[-1]), float(speed[-1])
        self.travelled_m = float(travelled[-1])
        return travelled

    def _take(
        self, run: _Run, step: _Step, motion: Motion, travelled: FloatArray
    ) -> list[Stroke]:
        stop_s = float(motion.t_s[run.stop - 1])
        strokes: list[Stroke] = []
        if self.open is not None:
            more_s, more_m = step.still_above(self.open.direction)
            self.open.last_s += more_s
            self.open.last_m += more_m
        if run.kind in {-1, 1}:
            early_s, early_m = step.already_above(run.kind)
            start_s = step.t_s - early_s
            pause_s = np.inf if self.open is None else start_s - self.open.last_s
            if self.open is None or self.open.direction != run.kind or pause_s >= LONGEST_PAUSE_S:
                strokes = self._close()
                start_m = float(travelled[run.start]) - early_m
                self.open = _Open(run.kind, start_s, start_m, start_s, start_m)
            if start_s - self.unknown_until_s < LONGEST_PAUSE_S:
                self.open.partly_unknown = True
            self._extend(self.open, run, motion, travelled)
        elif self.open is not None and stop_s - self.open.last_s >= LONGEST_PAUSE_S:
            self.open.partly_unknown |= self._unknown_near(run, motion)
            strokes = self._close()
        elif self.open is not None and run.kind == _UNKNOWN:
            self.open.partly_unknown = True
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
        stroke.last_s = float(motion.t_s[run.stop - 1])
        stroke.last_m = float(travelled[run.stop - 1])
        stroke.has_speed &= bool(motion.valid[part].all())
        stroke.error_memory_s = motion.error_memory_s
        stroke.peak_mps = max(stroke.peak_mps, float(np.abs(motion.speed_mps[part]).max()))
        stroke.variance_sum += float(np.sum(motion.speed_sd_mps[part] ** 2))
        stroke.instants += run.stop - run.start

    def _close(self) -> list[Stroke]:
        ended, self.open = self.open, None
        if ended is None:
            return []
        duration_s, length_m = ended.last_s - ended.start_s, ended.last_m - ended.start_m
        if duration_s < SHORTEST_S or (ended.has_speed and length_m < SHORTEST_M):
            return []
        self.count += 1
        share = min(1.0, ended.error_memory_s / duration_s)
        sd_mps = float(np.sqrt(share * ended.variance_sum / ended.instants))
        return [
            Stroke(
                n=self.count,
                start_s=ended.start_s,
                end_s=ended.last_s,
                direction=ended.direction,
                length_m=length_m if ended.has_speed else None,
                peak_speed_mps=ended.peak_mps if ended.has_speed else None,
                mean_speed_sd_mps=sd_mps if ended.has_speed else None,
                partly_unknown=ended.partly_unknown,
            )
        ]


def _runs(motion: Motion) -> Iterator[_Run]:
    kind = np.where(np.abs(motion.speed_mps) > THRESHOLD_MPS, np.sign(motion.speed_mps), 0.0)
    if motion.way is not None:
        kind = motion.way
    kind = np.where(motion.nothing_known, _UNKNOWN, kind).astype(int)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(kind)) + 1])
    stops = np.concatenate([starts[1:], [len(kind)]])
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        yield _Run(int(kind[start]), start, stop)
