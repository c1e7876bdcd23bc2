"""Events of the core -> payloads: SI becomes mm and mm/s, stream time becomes Unix time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.core.strokes.edge import THRESHOLD_MPS
from rolltrack.wire.payloads import (
    AlertPayload,
    Direction,
    LivePayload,
    SessionPayload,
    StrokePayload,
)
from rolltrack.wire.units import error_mm_or_none, mm, mm_or_none, rfc3339, rounded, unix_ms

if TYPE_CHECKING:
    from rolltrack.core.events import Alert, LiveSpeed, SessionSummary, StrokeEnded


def live_payload(event: LiveSpeed, *, epoch_unix_s: float, seq: int) -> LivePayload:
    """The live topic's document."""
    speed_mm_s = mm_or_none(event.speed_mps)
    return LivePayload(
        ts=unix_ms(epoch_unix_s + event.t_s),
        seq=seq,
        session_id=event.session_id,
        speed_mm_s=speed_mm_s,
        sd_mm_s=error_mm_or_none(event.speed_sd_mps),
        dir=_direction(event),
        limit_mm_s=mm(event.limit_mps),
        state="unknown" if speed_mm_s is None else event.state,
        too_fast=event.too_fast,
        lag_ms=round((event.said_s - event.t_s) * 1000),
    )


def _direction(event: LiveSpeed) -> Direction:
    """Which way it rolls; 0 while it pauses, slower than any stroke."""
    speed_mps = event.speed_mps or 0.0
    rolling = event.state == "rolling" and abs(speed_mps) > THRESHOLD_MPS
    return _sign(speed_mps) if rolling else 0


def stroke_payload(event: StrokeEnded, *, epoch_unix_s: float, seq: int) -> StrokePayload:
    """The stroke topic's document."""
    stroke = event.judged.stroke
    return StrokePayload(
        ts=unix_ms(epoch_unix_s + stroke.end_s),
        seq=seq,
        session_id=event.session_id,
        n=stroke.n,
        dur_ms=round(stroke.duration_s * 1000),
        mean_mm_s=mm_or_none(stroke.mean_speed_mps),
        peak_mm_s=mm_or_none(stroke.peak_speed_mps),
        length_mm=mm_or_none(stroke.length_m),
        dir=_sign(stroke.direction),
        too_fast=event.judged.too_fast,
        reasons=event.judged.reasons,
        mean_sd_mm_s=error_mm_or_none(stroke.mean_speed_sd_mps),
        partly_unknown=stroke.partly_unknown,
    )


def alert_payload(event: Alert, *, epoch_unix_s: float, seq: int) -> AlertPayload:
    """The alert topic's document; m/s become mm/s, other units pass."""
    is_speed = event.unit == "m/s"
    return AlertPayload(
        ts=unix_ms(epoch_unix_s + event.t_s),
        seq=seq,
        session_id=event.session_id,
        alert_id=event.alert_id,
        kind=event.kind,
        phase=event.phase,
        value=mm_or_none(event.value) if is_speed else event.value,
        limit=mm_or_none(event.limit) if is_speed else event.limit,
        unit="mm/s" if is_speed else event.unit,
    )


def session_payload(summary: SessionSummary) -> SessionPayload:
    """The session topic's document."""
    return SessionPayload(
        ts=unix_ms(summary.ended_unix_s),
        session_id=summary.session_id,
        revision=summary.revision,
        athlete=summary.athlete,
        roller=summary.roller,
        region=summary.region,
        protocol=summary.protocol,
        started_at=rfc3339(summary.started_unix_s),
        ended_at=rfc3339(summary.ended_unix_s),
        rolling_s=round(summary.rolling_s, 1),
        hold_s=round(summary.hold_s, 1),
        unknown_s=round(summary.unknown_s, 1),
        strokes=summary.strokes,
        too_fast_strokes=summary.too_fast_strokes,
        mean_mm_s=mm_or_none(summary.mean_speed_mps),
        p95_mm_s=mm_or_none(summary.p95_speed_mps),
        peak_mm_s=mm_or_none(summary.peak_speed_mps),
        time_too_fast_s=round(summary.time_too_fast_s, 1),
        distance_m=rounded(summary.distance_m, 3),
        limit_mm_s=mm(summary.limit_mps),
        gaps=summary.gaps,
        samples=summary.samples,
        samples_lost=summary.samples_lost,
        algorithm=summary.algorithm,
        end=summary.end,
        tempo_per_min=_tempo_per_min(summary),
    )


def _tempo_per_min(summary: SessionSummary) -> float | None:
    """Strokes per minute of rolling."""
    known = summary.strokes and summary.rolling_s
    return round(60 * summary.strokes / summary.rolling_s, 1) if known else None


def _sign(value: float) -> Direction:
    """0 for zero and for NaN."""
    return 1 if value > 0 else -1 if value < 0 else 0
