"""What leaves the program as JSON: payloads, their units, and the MQTT topics they travel on.

Inside everything is SI; here speeds become mm/s and lengths mm, because Home Assistant knows these
units. A value that is not known is null, never a number.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rolltrack.wire.analysis import AnalysisDocument, analysed_stroke, analysis_document
from rolltrack.wire.events import alert_payload, live_payload, session_payload, stroke_payload
from rolltrack.wire.payloads import (
    AlertPayload,
    BridgeInfo,
    Command,
    CommandResult,
    ImuBatch,
    LivePayload,
    Receipt,
    SensorInfo,
    SessionPayload,
    StatePayload,
    StrokePayload,
)
from rolltrack.wire.summaries import summary_of
from rolltrack.wire.topics import Message, Topics, check_id, shard
from rolltrack.wire.units import mm, mm_or_none, rfc3339, unix_ms

__all__ = [
    "AlertPayload",
    "AnalysisDocument",
    "BridgeInfo",
    "Command",
    "CommandResult",
    "ImuBatch",
    "LivePayload",
    "Message",
    "Receipt",
    "SensorInfo",
    "SessionPayload",
    "StatePayload",
    "StrokePayload",
    "Topics",
    "alert_payload",
    "analysed_stroke",
    "analysis_document",
    "check_id",
    "encode",
    "live_payload",
    "mm",
    "mm_or_none",
    "rfc3339",
    "session_payload",
    "shard",
    "stroke_payload",
    "summary_of",
    "to_builtins",
    "unix_ms",
]


def encode(payload: msgspec.Struct) -> bytes:
    """Compact UTF-8 JSON; NaN and infinity become null."""
    return msgspec.json.encode(payload)


def to_builtins(payload: msgspec.Struct) -> dict[str, Any]:
    """The payload as dictionaries, lists and plain values."""
    plain: dict[str, Any] = msgspec.to_builtins(payload)
    return plain
