"""What MQTT should show of one roller: events in, messages out, at a pace a broker can take."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from rolltrack import wire
from rolltrack.core.events import (
    Alert,
    BatteryLevel,
    Event,
    LimitSet,
    LinkChanged,
    LiveSpeed,
    SessionDiscarded,
    SessionEnded,
    SessionStarted,
    StrokeEnded,
)
from rolltrack.wire import catalogue

if TYPE_CHECKING:
    from rolltrack.sinks.sink import Roller
    from rolltrack.wire.topics import RollerLeaf

LIVE_PERIOD_S = 0.1
STATE_PERIOD_S = 1.0
_EARLY_S = 0.03
"""Packets come unevenly: a live speed may be so much early."""


class RollerBoard:
    """Keeps the roller's snapshot up to date with its events, and says what to publish when.

    Pure: `now_s` is any steady clock of the caller's. Live speeds and snapshots that come faster
    than their period are replaced by what follows them; the newest is held until it is `due`.

    Args:
        roller: whose board this is.
        topics: of the site.
        tells_sessions: whether finished sessions are messages too, or somebody else's to send.

    Attributes:
        roller: the same roller all the time; its epoch changes when the clock is set.
    """

    def __init__(self, roller: Roller, topics: wire.Topics, *, tells_sessions: bool = True) -> None:
        self.roller = roller
        self._tells_sessions = tells_sessions
        self._topics = topics
        self._seq: Counter[RollerLeaf] = Counter()
        self._live: wire.LivePayload | None = None
        self._live_pace = _Pace(LIVE_PERIOD_S, _EARLY_S)
        self._state = wire.StatePayload(
            ts=wire.unix_ms(roller.epoch_unix_s), limit_mm_s=wire.mm_or_none(roller.limit_mps)
        )
        self._state_is_news = True
        self._state_pace = _Pace(STATE_PERIOD_S)
        self._link_up = False
        self._said_state = False

    def follow(self, roller: Roller) -> None:
        """Take over what changed about the roller: its epoch, when the clock was set."""
        if roller.epoch_unix_s != self.roller.epoch_unix_s:
            self._state = msgspec.structs.replace(self._state, ts=0)
        self.roller = roller

    def take(self, event: Event, now_s: float) -> list[wire.Message]:
        """Learn from one event; return what is to be published now, oldest first."""
        messages: list[wire.Message] = []
        match event:
            case LiveSpeed():
                self._move(event)
            case SessionStarted():
                limit_mm_s = wire.mm(event.limit_mps)
                self._update(event.t_s, session_id=event.session_id, limit_mm_s=limit_mm_s)
            case StrokeEnded():
                messages = [self._stroke(event)]
            case Alert():
                payload = wire.alert_payload(event, **self._stamp("alert"))
                messages = [catalogue.ALERT.message(self._topic("alert"), payload)]
            case SessionEnded():
                messages = self._session(event)
            case SessionDiscarded():
                self._rest(event.t_s)
            case LimitSet():
                self._update(event.t_s, limit_mm_s=wire.mm(event.limit_mps))
            case LinkChanged():
                messages = [self._link(event)]
            case BatteryLevel():
                self._update(event.t_s, battery_pct=event.percent)
        return messages + self.due(now_s)

    def due(self, now_s: float) -> list[wire.Message]:
        """Return what was held back and may go now."""
        messages = []
        if self._live and self._live_pace.may_go(now_s):
            numbered = msgspec.structs.replace(self._live, seq=self._next("live"))
            messages.append(catalogue.LIVE.message(self._topic("live"), numbered))
            self._live = None
        if self._state_is_news and self._state_pace.may_go(now_s):
            messages.append(self._snapshot())
        return messages

    def again(self) -> list[wire.Message]:
        """Return the snapshot once more if nothing was said since the last call.

        A consumer then knows that a roller that only lies there is not forgotten.
        """
        said, self._said_state = self._said_state, False
        if said or not self._link_up:
            return []
        repeated = self._snapshot()
        self._said_state = False
        return [repeated]

    @property
    def holds(self) -> bool:
        """Whether something is held back for `due`."""
        return self._live is not None or self._state_is_news

    def due_at_s(self) -> float:
        """When the next of what is held back may go; infinity when nothing is."""
        live_s = self._live_pace.next_s if self._live else math.inf
        state_s = self._state_pace.next_s if self._state_is_news else math.inf
        return min(live_s, state_s)

    def leave(self) -> list[wire.Message]:
        """Return what is to be published when the service stops, and the link with it."""
        messages = [self._snapshot()] if self._state_is_news else []
        if self._link_up:
            messages.append(catalogue.AVAILABILITY.message(self._topic("availability"), b"offline"))
        return messages

    def _move(self, event: LiveSpeed) -> None:
        epoch_unix_s = self.roller.epoch_unix_s
        self._live = wire.live_payload(event, epoch_unix_s=epoch_unix_s, seq=0)
        at_rest = self._live.state == "idle"
        self._update(
            event.t_s,
            state=self._live.state,
            speed_mm_s=0.0 if at_rest else self._live.speed_mm_s,
            limit_mm_s=self._live.limit_mm_s,
            too_fast=event.too_fast,
        )

    def _stroke(self, event: StrokeEnded) -> wire.Message:
        self._update(
            event.judged.stroke.end_s,
            strokes=self._state.strokes + 1,
            too_fast_strokes=self._state.too_fast_strokes + event.judged.too_fast,
        )
        payload = wire.stroke_payload(event, **self._stamp("stroke"))
        return catalogue.STROKE.message(self._topic("stroke"), payload)

    def _session(self, event: SessionEnded) -> list[wire.Message]:
        self._rest(event.t_s)
        if not self._tells_sessions:
            return []
        summary = event.summary
        body = wire.encode(wire.session_payload(summary))
        topic = self._topics.session(summary.athlete, summary.session_id)
        last = self._topics.last_session(summary.athlete)
        return [
            catalogue.SESSION.message(topic, body, keep=True),
            catalogue.LAST_SESSION.message(last, body),
        ]

    def _link(self, event: LinkChanged) -> wire.Message:
        self._link_up = event.up
        if not event.up:
            self._live = None
        self._update(event.t_s, state="unknown", speed_mm_s=None, too_fast=False)
        body = b"online" if event.up else b"offline"
        return catalogue.AVAILABILITY.message(self._topic("availability"), body)

    def _rest(self, t_s: float) -> None:
        """No session is open; a speed of the last one must not stay behind as if it were now."""
        self._live = None
        self._update(
            t_s,
            session_id=None,
            state="idle",
            speed_mm_s=0.0,
            too_fast=False,
            strokes=0,
            too_fast_strokes=0,
        )

    def _update(self, t_s: float, **changes: Any) -> None:
        changed = msgspec.structs.replace(self._state, **changes)
        self._state_is_news = self._state_is_news or changed != self._state
        ts = wire.unix_ms(self.roller.epoch_unix_s + t_s)
        self._state = msgspec.structs.replace(changed, ts=max(ts, self._state.ts))

    def _snapshot(self) -> wire.Message:
        self._state_is_news, self._said_state = False, True
        return catalogue.STATE.message(self._topic("state"), self._state)

    def _stamp(self, leaf: RollerLeaf) -> dict[str, Any]:
        return {"epoch_unix_s": self.roller.epoch_unix_s, "seq": self._next(leaf)}

    def _next(self, leaf: RollerLeaf) -> int:
        self._seq[leaf] += 1
        return self._seq[leaf]

    def _topic(self, leaf: RollerLeaf) -> str:
        return self._topics.of_roller(self.roller.athlete, self.roller.id, leaf)


@dataclass(slots=True)
class _Pace:
    """One per period in the long run."""

    period_s: float
    early_s: float = 0.0
    next_s: float = -math.inf

    def may_go(self, now_s: float) -> bool:
        if now_s < self.next_s - self.early_s:
            return False
        on_time = now_s < self.next_s + self.period_s
        self.next_s = (self.next_s if on_time else now_s) + self.period_s
        return True
