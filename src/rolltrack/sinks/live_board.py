"""What the live view knows: one immutable picture per roller, made from its events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rolltrack.core.events import (
    Alert,
    BatteryLevel,
    LinkChanged,
    LiveSpeed,
    SessionDiscarded,
    SessionEnded,
    SessionStarted,
    StrokeEnded,
)

if TYPE_CHECKING:
    from rolltrack.core.coaching.pace import State
    from rolltrack.core.events import Event, JudgedStroke, SessionSummary
    from rolltrack.sinks.sink import Roller

STROKES_KEPT = 8


@dataclass(frozen=True, slots=True)
class RollerPicture:
    """One roller now.

    Attributes:
        roller: whose picture it is.
        state: what it is doing.
        speed_mps: signed surface speed, None when unknown.
        speed_sd_mps: its standard deviation.
        too_fast: the live cue.
        limit_mps: the rolling protocol's limit, None before the first session.
        started_s: stream time at which the session began, None outside a session.
        now_s: stream time of the newest event.
        strokes: the newest strokes of the session, newest first.
        stroke_count: all strokes of the session.
        too_fast_count: those of them that were too fast.
        alerts: what has been raised and not cleared, newest first.
        last: summary of the last finished session.
        battery_pct: None when the sensor does not say.
        link_up: None when the link is not known yet.
    """

    roller: Roller
    state: State = "idle"
    speed_mps: float | None = None
    speed_sd_mps: float | None = None
    too_fast: bool = False
    limit_mps: float | None = None
    started_s: float | None = None
    now_s: float = 0.0
    strokes: tuple[JudgedStroke, ...] = ()
    stroke_count: int = 0
    too_fast_count: int = 0
    alerts: tuple[Alert, ...] = ()
    last: SessionSummary | None = None
    battery_pct: int | None = None
    link_up: bool | None = None

    @property
    def session_s(self) -> float:
        """How long the session has lasted, or the last one did."""
        if self.started_s is not None:
            return self.now_s - self.started_s
        return 0.0 if self.last is None else self.last.ended_unix_s - self.last.started_unix_s

    def after(self, event: Event) -> RollerPicture:
        """The picture once `event` has happened."""
        match event:
            case LiveSpeed():
                changed = replace(
                    self,
                    state=event.state,
                    speed_mps=event.speed_mps,
                    speed_sd_mps=event.speed_sd_mps,
                    too_fast=event.too_fast,
                    limit_mps=event.limit_mps,
                    now_s=event.t_s,
                )
            case SessionStarted():
                changed = replace(
                    self,
                    limit_mps=event.limit_mps,
                    started_s=event.t_s,
                    now_s=event.t_s,
                    strokes=(),
                    stroke_count=0,
                    too_fast_count=0,
                )
            case StrokeEnded(judged=judged):
                changed = replace(
                    self,
                    strokes=(judged, *self.strokes)[:STROKES_KEPT],
                    stroke_count=self.stroke_count + 1,
                    too_fast_count=self.too_fast_count + judged.too_fast,
                )
            case SessionEnded(summary=summary, strokes=strokes):
                changed = replace(
                    self._at_rest(),
                    strokes=strokes[: -STROKES_KEPT - 1 : -1],
                    stroke_count=summary.strokes,
                    too_fast_count=summary.too_fast_strokes,
                    last=summary,
                )
            case SessionDiscarded():
                changed = self._at_rest()
            case Alert():
                others = tuple(a for a in self.alerts if a.alert_id != event.alert_id)
                raised = (event,) if event.phase == "raised" else ()
                changed = replace(self, alerts=raised + others)
            case LinkChanged(up=up):
                changed = replace(self if up else self._silent(), link_up=up)
            case BatteryLevel(percent=percent):
                changed = replace(self, battery_pct=percent)
            case _:
                changed = self
        return changed

    def _silent(self) -> RollerPicture:
        return replace(self, state="unknown", speed_mps=None, speed_sd_mps=None, too_fast=False)

    def _at_rest(self) -> RollerPicture:
        return replace(
            self,
            state="idle",
            speed_mps=None,
            speed_sd_mps=None,
            too_fast=False,
            started_s=None,
            alerts=(),
        )


@dataclass(frozen=True, slots=True)
class Board:
    """All rollers, in the order in which they were first heard."""

    rollers: tuple[RollerPicture, ...] = ()

    def after(self, roller: Roller, event: Event) -> Board:
        """The board once `event` of `roller` has happened."""
        known = next((p for p in self.rollers if p.roller.id == roller.id), None)
        if known is None:
            return Board((*self.rollers, RollerPicture(roller).after(event)))
        changed = replace(known, roller=roller).after(event)
        return Board(tuple(changed if p is known else p for p in self.rollers))
