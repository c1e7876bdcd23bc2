"""Session payloads read back: mm become SI again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rolltrack.core.events import SessionSummary
from rolltrack.errors import InputError

if TYPE_CHECKING:
    from rolltrack.wire.payloads import SessionPayload


def summary_of(payload: SessionPayload) -> SessionSummary:
    """The summary that a payload was made of, as exactly as the payload says it.

    Raises:
        InputError: a time in it is none.
    """
    return SessionSummary(
        session_id=payload.session_id,
        revision=payload.revision,
        athlete=payload.athlete,
        roller=payload.roller,
        region=payload.region,
        protocol=payload.protocol,
        started_unix_s=_unix_s(payload.started_at, "started_at"),
        ended_unix_s=_unix_s(payload.ended_at, "ended_at"),
        rolling_s=payload.rolling_s,
        hold_s=payload.hold_s,
        unknown_s=payload.unknown_s,
        strokes=payload.strokes,
        too_fast_strokes=payload.too_fast_strokes,
        mean_speed_mps=_m_or_none(payload.mean_mm_s),
        p95_speed_mps=_m_or_none(payload.p95_mm_s),
        peak_speed_mps=_m_or_none(payload.peak_mm_s),
        time_too_fast_s=payload.time_too_fast_s,
        distance_m=payload.distance_m,
        limit_mps=payload.limit_mm_s / 1000,
        gaps=payload.gaps,
        samples=payload.samples,
        samples_lost=payload.samples_lost,
        algorithm=payload.algorithm,
        end=payload.end,
    )


def _m_or_none(value_mm: float | None) -> float | None:
    return None if value_mm is None else value_mm / 1000


def _unix_s(text: str, key: str) -> float:
    """RFC 3339, section 5.6 -> Unix seconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InputError(f"{key} is not a time with its offset.")
    return moment.timestamp()
