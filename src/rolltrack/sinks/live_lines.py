"""The live view where there is no terminal: one plain line for each thing worth a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.core.events import (
    Alert,
    LinkChanged,
    SessionDiscarded,
    SessionEnded,
    SessionStarted,
    StrokeEnded,
)

if TYPE_CHECKING:
    from rolltrack.core.events import Event, SessionSummary
    from rolltrack.core.strokes.stroke import Stroke
    from rolltrack.sinks.live_texts import Texts
    from rolltrack.sinks.sink import Roller


def line_for(roller: Roller, event: Event, texts: Texts) -> str | None:
    """The line for an event, None for events too frequent to print."""
    match event:
        case SessionStarted(limit_mps=limit_mps):
            said = f"{texts.session_started}, {texts.limit} {texts.number(100 * limit_mps)} cm/s"
        case StrokeEnded(judged=judged):
            said = _stroke(judged.stroke, texts)
            said += f": {texts.alerts['too_fast']}" if judged.too_fast else ""
        case SessionEnded(summary=summary):
            said = f"{texts.session_ended}: {session_in_words(summary, texts)}"
        case SessionDiscarded():
            said = texts.session_discarded
        case Alert(phase="raised", kind=kind) if kind != "too_fast":
            said = texts.alerts[kind]
        case LinkChanged(up=up):
            said = texts.link_up if up else texts.link_down
        case _:
            return None
    return f"{roller.id}: {said}"


def session_in_words(summary: SessionSummary, texts: Texts) -> str:
    """The counts of a session, in one line."""
    return (
        f"{texts.strokes} {summary.strokes}, {texts.fast} {summary.too_fast_strokes}, "
        f"{texts.time} {texts.number(summary.ended_unix_s - summary.started_unix_s, 0)} s, "
        f"{texts.mean_speed} {texts.hundredfold(summary.mean_speed_mps)} cm/s"
    )


def _stroke(stroke: Stroke, texts: Texts) -> str:
    return (
        f"{texts.stroke} {stroke.n} {'→' if stroke.direction > 0 else '←'} "
        f"{texts.hundredfold(stroke.length_m)} cm, {texts.number(stroke.duration_s)} s, "
        f"{texts.hundredfold(stroke.mean_speed_mps)} ± "
        f"{texts.error(stroke.mean_speed_sd_mps)} cm/s"
    )
