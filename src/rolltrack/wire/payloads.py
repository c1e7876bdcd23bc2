"""The JSON documents of the MQTT topics, version 1; the unit of a value is part of its key."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from rolltrack.core.coaching.pace import State
from rolltrack.core.events import AlertKind, EndReason

VERSION = 1

Speed = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
Direction = Literal[-1, 0, 1]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """A document; `ts` is the time of the readings it speaks of, in Unix ms UTC."""

    v: int = VERSION
    ts: int


class LivePayload(Payload, frozen=True, kw_only=True):
    """The speed a moment ago.

    `seq` counts the messages on this topic, so a hole tells how many a consumer missed.
    `speed_mm_s` is without sign; `dir` is 0 unless the roller rolls.
    """

    seq: Count
    session_id: str | None
    speed_mm_s: Speed | None
    sd_mm_s: Speed | None
    dir: Direction
    limit_mm_s: Speed
    state: State
    too_fast: bool


class StatePayload(Payload, frozen=True, kw_only=True):
    """What a late joiner needs to know about one roller; the counters are the running session's."""

    session_id: str | None = None
    state: State = "unknown"
    too_fast: bool = False
    speed_mm_s: Speed | None = None
    limit_mm_s: Speed | None = None
    strokes: Count = 0
    too_fast_strokes: Count = 0
    battery_pct: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None


class StrokePayload(Payload, frozen=True, kw_only=True):
    """One finished stroke, the `n`th of its session."""

    seq: Count
    session_id: str
    n: Count
    dur_ms: Count
    mean_mm_s: Speed
    peak_mm_s: Speed
    length_mm: Speed
    dir: Direction
    too_fast: bool
    reasons: tuple[str, ...]


class AlertPayload(Payload, frozen=True, kw_only=True):
    """Something to know now; raised and cleared share one `alert_id`."""

    seq: Count
    session_id: str | None
    alert_id: str
    kind: AlertKind
    phase: Literal["raised", "cleared"]
    value: float | None
    limit: float | None
    unit: str


class SessionPayload(Payload, frozen=True, kw_only=True):
    """A session's summary; store each pair of `session_id` and `revision` once."""

    session_id: str
    revision: int
    athlete: str
    roller: str
    region: str
    protocol: str
    started_at: str
    ended_at: str
    rolling_s: Seconds
    hold_s: Seconds
    unknown_s: Seconds
    strokes: Count
    too_fast_strokes: Count
    mean_mm_s: Speed | None
    p95_mm_s: Speed | None
    peak_mm_s: Speed | None
    time_too_fast_s: Seconds
    distance_m: float
    limit_mm_s: Speed
    gaps: Count
    samples: Count
    samples_lost: Count
    algorithm: str
    end: EndReason


class SensorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A roller the service has met."""

    roller: str
    athlete: str
    name: str


class BridgeInfo(Payload, frozen=True, kw_only=True):
    """What runs here, since when, and with which rollers."""

    version: str
    started: str
    sensors: tuple[SensorInfo, ...] = ()
