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
Column = Annotated[tuple[float | None, ...], msgspec.Meta(min_length=1, max_length=1000)]
CommandId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """A document; `ts` is the time of the readings it speaks of, in Unix ms UTC."""

    v: int = VERSION
    ts: int


class LivePayload(Payload, frozen=True, kw_only=True):
    """The speed a moment ago.

    `seq` counts the messages on this topic, so a hole tells how many a consumer missed.
    `speed_mm_s` is without sign; `dir` is 0 unless the roller rolls. `lag_ms` is how much newer
    the readings were that made the answer possible.
    """

    seq: Count
    session_id: str | None
    speed_mm_s: Speed | None
    sd_mm_s: Speed | None
    dir: Direction
    limit_mm_s: Speed
    state: State
    too_fast: bool
    lag_ms: Count = 0


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
    """One finished stroke, the `n`th of its session.

    Mean, its standard deviation, peak and length are null where only the stroke and its time are
    known, as of a slow one of a phone worn on the body; `too_fast` is then false: no evidence.
    `partly_unknown` is true where it touches a gap or an instant that could not be judged.
    """

    seq: Count
    session_id: str
    n: Count
    dur_ms: Count
    mean_mm_s: Speed | None
    peak_mm_s: Speed | None
    length_mm: Speed | None
    dir: Direction
    too_fast: bool
    reasons: tuple[str, ...]
    mean_sd_mm_s: Speed | None = None
    partly_unknown: bool = False


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
    """A session's summary; store each pair of `session_id` and `revision` once.

    Speeds and distance are null where too much was rolled at no known speed; `tempo_per_min`,
    strokes per minute of rolling, is known all the same. `algorithm` is the estimator that made the
    figures: roller, ball or body, then its method and version.
    """

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
    distance_m: float | None
    limit_mm_s: Speed
    gaps: Count
    samples: Count
    samples_lost: Count
    algorithm: str
    end: EndReason
    tempo_per_min: Annotated[float, msgspec.Meta(ge=0)] | None = None


class Receipt(Payload, frozen=True, kw_only=True):
    """An archive has stored this revision of a session; `ts` is when."""

    session_id: str
    revision: int
    archive: str


class Command(Payload, frozen=True, kw_only=True):
    """Something to do now; `ts` is when it was sent, and after 30 s it is refused.

    `id` is the sender's, new for every command; sent twice, it acts once. `limit_mm_s` belongs to
    set-limit, `distance_mm` to calibrate.
    """

    id: CommandId
    limit_mm_s: Annotated[float, msgspec.Meta(ge=10, le=500)] | None = None
    distance_mm: Annotated[float, msgspec.Meta(ge=200, le=10_000)] | None = None


class CommandResult(Payload, frozen=True, kw_only=True):
    """What became of a command; `id` is the command's, empty where it could not be read.

    `ok` says whether it is done, or under way; `reason` says so to people, and what to do if it is
    not. `final` is false where another result with the same `id` will follow. `limit_mm_s` and
    `radius_mm` are what is in force afterwards, where the command was about them.
    """

    id: str
    ok: bool
    final: bool = True
    reason: str = ""
    limit_mm_s: Speed | None = None
    radius_mm: float | None = None


class ImuBatch(Payload, frozen=True, kw_only=True):
    """Raw readings of a phone or a remote sensor: columns of equal length, as in a trace.

    `ts` is the time of offset 0 of `t_ms`, which strictly increases. `seq` counts the batches of a
    recording from 0: a hole tells how many were lost, 0 that a new recording begins. Specific force
    includes gravity. There are all three accelerometer columns, all three gyroscope columns, or
    both; null is a missing reading.
    """

    seq: Count
    t_ms: Annotated[tuple[float, ...], msgspec.Meta(min_length=1, max_length=1000)]
    ax_mps2: Column | None = None
    ay_mps2: Column | None = None
    az_mps2: Column | None = None
    gx_radps: Column | None = None
    gy_radps: Column | None = None
    gz_radps: Column | None = None


class SensorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A roller the service has met."""

    roller: str
    athlete: str
    name: str


class BridgeInfo(Payload, frozen=True, kw_only=True):
    """What runs here, since when, with which rollers, and how it fares.

    `counters` tells how much waits for whom, and what was dropped or went wrong since the start.
    """

    version: str
    started: str
    sensors: tuple[SensorInfo, ...] = ()
    counters: dict[str, int] = {}
