"""The document of `rolltrack analyse --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rolltrack.wire.events import session_payload
from rolltrack.wire.payloads import VERSION, SessionPayload
from rolltrack.wire.units import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rolltrack.core.events import JudgedStroke, SessionSummary


class AnalysedStroke(msgspec.Struct, frozen=True, kw_only=True):
    """A stroke of `rolltrack analyse --json`, in SI units; null where its speed is not known."""

    n: int
    start_s: float
    end_s: float
    direction: int
    duration_s: float
    length_m: float | None
    mean_speed_mps: float | None
    peak_speed_mps: float | None
    mean_speed_sd_mps: float | None
    too_fast: bool
    reasons: tuple[str, ...]
    partly_unknown: bool


class AnalysisDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document of `rolltrack analyse --json`."""

    v: int = VERSION
    trace: str
    radius_m: float
    protocol: str
    strokes: tuple[AnalysedStroke, ...]
    session: SessionPayload


def analysed_stroke(judged: JudgedStroke) -> AnalysedStroke:
    """A stroke in SI units, rounded to what is worth printing (0.1 ms, 0.01 mm, 0.01 mm/s)."""
    stroke = judged.stroke
    return AnalysedStroke(
        n=stroke.n,
        start_s=round(stroke.start_s, 4),
        end_s=round(stroke.end_s, 4),
        direction=stroke.direction,
        duration_s=round(stroke.duration_s, 4),
        length_m=rounded(stroke.length_m, 5),
        mean_speed_mps=rounded(stroke.mean_speed_mps, 5),
        peak_speed_mps=rounded(stroke.peak_speed_mps, 5),
        mean_speed_sd_mps=rounded(stroke.mean_speed_sd_mps, 5),
        too_fast=judged.too_fast,
        reasons=judged.reasons,
        partly_unknown=stroke.partly_unknown,
    )


def analysis_document(
    trace_name: str,
    radius_m: float,
    protocol_id: str,
    strokes: Sequence[JudgedStroke],
    summary: SessionSummary,
) -> AnalysisDocument:
    """What `rolltrack analyse --json` prints; `to_builtins` makes a dictionary of it."""
    return AnalysisDocument(
        trace=trace_name,
        radius_m=radius_m,
        protocol=protocol_id,
        strokes=tuple(analysed_stroke(judged) for judged in strokes),
        session=session_payload(summary),
    )
