"""Readings in, events out: the one stateful face of the core. It does no I/O and reads no clock.

Time is cut into hops (0.06 s at 100 Hz, for the live speed) and beats (0.5 s, for everything else)
by the readings' own time stamps, so that any way of cutting the same readings into blocks gives
equal events.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.coaching.pace import Pace
from rolltrack.core.events import (
    EndReason,
    Event,
    FinalSpeed,
    JudgedStroke,
    LimitSet,
    LiveSpeed,
    SessionDiscarded,
    SessionEnded,
    SessionStarted,
    StrokeEnded,
)
from rolltrack.core.intake import stretches, usable
from rolltrack.core.motion.axle import AxleFinder
from rolltrack.core.motion.clipping import Range
from rolltrack.core.motion.constants import ROUNDING_S
from rolltrack.core.motion.live import HOP_S, HURRIED_HOP_S
from rolltrack.core.motion.rest import Activity, RestDetector
from rolltrack.core.motion.shapes import SHAPES
from rolltrack.core.sample import CUTTING, ImuSamples, SignalGap
from rolltrack.core.session.alerts import AlertBook
from rolltrack.core.session.identity import session_id
from rolltrack.core.session.session import Session
from rolltrack.errors import InputError

if TYPE_CHECKING:
    from rolltrack.core.motion.live import LiveEstimator
    from rolltrack.core.motion.motion import Motion
    from rolltrack.core.setup import Setup

BEAT_S = 0.5
_PRE_ROLL_S = 2.0
_SENSOR_LOST_S = 5.0
_INVALID_S = 2.0


@dataclass(slots=True)
class TrackerState:
    """Everything a tracker remembers. Save it, restore it, and the same events follow."""

    last_s: float | None = None
    sensors: tuple[bool, bool] | None = None
    range: Range = field(default_factory=Range)
    cut: bool = False
    hop_start_s: float = 0.0
    hop: list[ImuSamples] = field(default_factory=list)
    beat_start_s: float = 0.0
    beat: list[ImuSamples] = field(default_factory=list)
    pre_roll: list[ImuSamples] = field(default_factory=list)
    rest: RestDetector = field(default_factory=RestDetector)
    finder: AxleFinder = field(default_factory=AxleFinder)
    live: LiveEstimator | None = None
    session: Session | None = None
    pace: Pace = field(default_factory=Pace)
    alerts: AlertBook = field(default_factory=AlertBook)
    unknown_since_s: float | None = None


class Tracker:
    """Turn one roller's readings into events.

    Attributes:
        setup: how.
        hurried: say live speed less often, as there is no time for more; what is final stays equal.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.hurried = False
        self._state = TrackerState()

    @property
    def state(self) -> TrackerState:
        """A copy of everything remembered."""
        return copy.deepcopy(self._state)

    @property
    def in_session(self) -> bool:
        """Whether a session is open."""
        return self._state.session is not None

    @classmethod
    def restore(cls, setup: Setup, state: TrackerState) -> Tracker:
        """A tracker that goes on where `state` was taken."""
        tracker = cls(setup)
        tracker._state = copy.deepcopy(state)
        return tracker

    def feed(self, item: ImuSamples | SignalGap) -> list[Event]:
        """Take readings or the news that some were lost; events, oldest first.

        Raises:
            InputError: these readings cannot be used; nothing of them was taken and the tracker
            goes on.
        """
        s = self._state
        if isinstance(item, SignalGap):
            if s.session is not None:
                s.session.samples_lost += item.lost
            s.cut |= item.reason in CUTTING
            return []
        samples = usable(item, self.setup.sensors)
        if s.last_s is not None and len(samples) and samples.t_s[0] <= s.last_s:
            raise InputError(
                f"readings at {samples.t_s[0]:.3f} s come after readings at {s.last_s:.3f} s.",
                hint="Times must increase from block to block.",
            )
        if not len(samples):
            return self.advance(float(item.t_s[-1])) if len(item) else []
        events: list[Event] = []
        for part in s.range.taken(samples):
            s.cut |= s.sensors is not None and s.sensors != part.sensors
            s.sensors = part.sensors
            for after_hole, stretch in stretches(part, s.last_s):
                if after_hole or s.cut:
                    s.cut = False
                    events += self._interrupt(float(stretch.t_s[0]))
                events += self._take(stretch)
        return events

    def advance(self, t_s: float) -> list[Event]:
        """Time passed without readings: sessions end by it.

        Raises:
            InputError: that is no time.
        """
        if not isfinite(t_s):
            raise InputError(f"time cannot be {t_s}.", hint="Say stream seconds.")
        session, idle_s = self._state.session, self.setup.idle_s
        if session is None or idle_s is None or t_s - session.last_motion_s < idle_s:
            return []
        last_s = self._state.last_s
        lost = last_s is not None and t_s - last_s > _SENSOR_LOST_S
        return self._close("sensor_lost" if lost else "idle")

    def start(self, t_s: float | None = None) -> list[Event]:
        """Open a session now, unless one is open."""
        events = self._flush_beat()
        session, last_s = self._state.session, self._state.last_s
        if session is not None:
            session.wanted = True
            return events
        return events + self._open(t_s if t_s is not None else last_s or 0.0, wanted=True)

    def finish(self, end: EndReason = "user") -> list[Event]:
        """Close the open stroke and session, if any; the tracker can be fed again afterwards."""
        events = self._hop() + self._flush_beat()
        if self._state.session is not None:
            events += self._close(end)
        return events

    def set_limit(self, limit_mps: float) -> list[Event]:
        """Judge by another speed limit from now on; what was rolled before keeps its verdict.

        Raises:
            UsageError: it is no limit to keep to.
        """
        session, now_s, before = self._state.session, self._state.last_s or 0.0, self.setup.protocol
        self.setup = replace(self.setup, protocol=before.with_limit(limit_mps))
        if session is not None:
            session.earlier.append((now_s, before))
        return [LimitSet(now_s, limit_mps)]

    def set_radius(self, radius_m: float) -> None:
        """Another rolling radius, from the next session on."""
        self.setup = replace(self.setup, radius_m=radius_m)
        if self._state.session is None:
            self._state.live = None  # it was made for the old one

    def _take(self, stretch: ImuSamples) -> list[Event]:
        """Walk through readings without a hole, from one hop or beat to the next."""
        s, events = self._state, list[Event]()
        if self.setup.start_at_once and s.session is None:
            events += self._open(float(stretch.t_s[0]), wanted=True)
        t_s, at = stretch.t_s, 0
        while at < len(stretch):
            if not s.beat:
                s.beat_start_s = float(t_s[at])
            if not s.hop:
                s.hop_start_s = float(t_s[at])
            hop_s = s.hop_start_s + (HURRIED_HOP_S if self.hurried else HOP_S)
            beat_s = s.beat_start_s + BEAT_S
            next_s = min(hop_s, beat_s) if self.setup.live else beat_s
            stop = int(np.searchsorted(t_s, next_s - ROUNDING_S)) + 1
            part = stretch[at : min(stop, len(stretch))]
            at, now_s = at + len(part), float(part.t_s[-1])
            s.last_s = now_s
            s.beat.append(part)
            if self.setup.live:
                s.hop.append(part)
                if now_s >= hop_s - ROUNDING_S:
                    events += self._hop()
            if now_s >= beat_s - ROUNDING_S:
                events += self._flush_beat()
        return events

    def _hop(self) -> list[Event]:
        s = self._state
        if not s.hop:
            return []
        hop, s.hop = ImuSamples.join(s.hop), []
        if s.session is None or s.session.live is None:
            return []
        block = s.session.live.step(hop, s.session.finder)
        return self._say(block, float(hop.t_s[-1]), s.session) if len(block) else []

    def _say(self, block: Motion, now_s: float, session: Session) -> list[Event]:
        s, protocol = self._state, self.setup.protocol
        instants = zip(block.t_s, block.speed_mps, block.valid, block.speed_sd_mps, strict=True)
        for at_s, speed, valid, sd in instants:
            s.pace.update(float(at_s), float(speed) if valid else None, protocol, float(sd))
        known = bool(block.valid[-1])
        t_s, speed_mps = float(block.t_s[-1]), float(block.speed_mps[-1])
        if known:
            s.unknown_since_s = None
        elif s.unknown_since_s is None:
            s.unknown_since_s = t_s
        speed = LiveSpeed(
            t_s=t_s,
            said_s=now_s,
            speed_mps=speed_mps if known else None,
            speed_sd_mps=float(block.speed_sd_mps[-1]) if known else None,
            state=s.pace.state,
            too_fast=s.pace.too_fast,
            limit_mps=protocol.max_stroke_speed_mps,
            session_id=session.session_id,
            block=block,
        )
        alerts = s.alerts.update(
            "too_fast",
            on=s.pace.too_fast,
            t_s=t_s,
            session_id=session.session_id,
            value=abs(speed_mps) if known else None,
            limit=protocol.max_stroke_speed_mps,
            unit="m/s",
        )
        unknown_s = 0.0 if s.unknown_since_s is None else t_s - s.unknown_since_s
        alerts += s.alerts.update(
            "invalid_motion",
            on=unknown_s >= _INVALID_S and session.should_be_known,
            t_s=t_s,
            session_id=session.session_id,
            value=unknown_s,
            limit=_INVALID_S,
            unit="s",
        )
        return [speed, *alerts]

    def _flush_beat(self) -> list[Event]:
        s = self._state
        if not s.beat:
            return []
        beat, s.beat = ImuSamples.join(s.beat), []
        finder = s.finder if s.session is None else s.session.finder
        bias = finder.rate_bias_radps if finder.has_rested else None
        activity = s.rest.judge(beat, bias)
        if activity is Activity.REST:
            finder.see_rest(beat)
        events: list[Event] = []
        if s.session is not None:
            may_learn = s.session.watch.may_learn(beat, finder)
            if activity is Activity.TURNING:
                if may_learn:
                    finder.see_turning(beat)
                s.session.last_motion_s = float(beat.t_s[-1])
            events += self._feed_session(s.session, beat)
        else:
            self._keep_pre_roll(beat)
            if activity is Activity.TURNING:
                events += self._open(float(beat.t_s[0]), wanted=False)
        return events + self.advance(float(beat.t_s[-1]))

    def _feed_session(self, session: Session, samples: ImuSamples) -> list[Event]:
        protocol = self.setup.protocol
        events: list[Event] = []
        if self.setup.live:
            events += _ended(session, session.prompt_strokes(protocol))
            clipped = samples.clipped is not None and bool(samples.clipped.any())
            events += self._state.alerts.update(
                "clipping", on=clipped, t_s=float(samples.t_s[-1]), session_id=session.session_id
            )
        return events + self._finals(session, session.feed_final(samples, protocol))

    def _finals(self, session: Session, motions: list[Motion]) -> list[Event]:
        if not self.setup.keep_series:
            return []
        return [FinalSpeed(session.session_id, motion) for motion in motions if len(motion)]

    def _keep_pre_roll(self, beat: ImuSamples) -> None:
        s = self._state
        s.pre_roll.append(beat)
        oldest_s = float(beat.t_s[-1]) - _PRE_ROLL_S
        s.pre_roll = [block for block in s.pre_roll if block.t_s[-1] > oldest_s]

    def _open(self, started_s: float, *, wanted: bool) -> list[Event]:
        s, setup = self._state, self.setup
        finder = s.finder.heir()
        finder.hint = setup.axle
        name = session_id(setup.epoch_unix_s + started_s, setup.id_salt, setup.roller)
        live = None
        if setup.live:
            live = s.live.heir() if s.live else SHAPES[setup.shape].live(setup.radius_m)
        s.session = Session(
            name, started_s, started_s, setup.radius_m, wanted, finder, setup.shape, live, s.range
        )
        s.pace, s.unknown_since_s = Pace(), None
        events: list[Event] = [SessionStarted(started_s, name, setup.protocol.max_stroke_speed_mps)]
        if s.pre_roll:
            # The pre-roll reaches up to now, so the hop under way is part of it.
            earlier, s.pre_roll, s.hop = ImuSamples.join(s.pre_roll), [], []
            s.session.last_motion_s = float(earlier.t_s[-1])
            finder.see_turning(earlier)
            if live is not None:
                live.begin(earlier, finder)
            events += self._feed_session(s.session, earlier)
        return events

    def _interrupt(self, next_s: float) -> list[Event]:
        """A hole in time before `next_s`."""
        s = self._state
        events = self._hop() + self._flush_beat()
        s.pre_roll, s.rest = [], RestDetector()
        events += self.advance(next_s)
        if s.session is not None:
            prompt, motions = s.session.end_stretch(self.setup.protocol, gap=True)
            events += [*_ended(s.session, prompt), *self._finals(s.session, motions)]
        return events

    def _close(self, end: EndReason) -> list[Event]:
        s, setup = self._state, self.setup
        session = s.session
        assert session is not None  # noqa: S101 - every caller has looked; this tells the type checker
        prompt, motions = session.end_stretch(setup.protocol, gap=False)
        events: list[Event] = [*_ended(session, prompt), *self._finals(session, motions)]
        t_s = s.last_s if s.last_s is not None else session.started_s
        events += s.alerts.clear_all(t_s, session.session_id)
        s.session, s.pre_roll = None, []
        s.finder.see_rests_of(session.finder)
        if session.strokes:
            s.finder = session.finder
            s.live = session.live if session.radius_m == setup.radius_m else None
        elif not session.wanted:
            return [*events, SessionDiscarded(t_s, session.session_id)]
        strokes = session.final_strokes(setup.protocol)
        summary = session.summary(
            strokes,
            roller=setup.roller,
            athlete=setup.athlete,
            region=setup.region,
            protocol=setup.protocol,
            epoch_unix_s=setup.epoch_unix_s,
            end=end,
        )
        return [*events, SessionEnded(t_s, summary, strokes)]


def _ended(session: Session, strokes: list[JudgedStroke]) -> list[Event]:
    return [StrokeEnded(session.session_id, stroke) for stroke in strokes]
