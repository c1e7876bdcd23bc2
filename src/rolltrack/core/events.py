"""Everything that leaves the core, and the two facts about the link that pass by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from rolltrack.core.coaching.pace import State
    from rolltrack.core.coaching.verdict import Verdict
    from rolltrack.core.motion.motion import Motion
    from rolltrack.core.strokes.stroke import Stroke

EndReason: TypeAlias = Literal["user", "idle", "sensor_lost", "recovered"]
Phase: TypeAlias = Literal["raised", "cleared"]
AlertKind: TypeAlias = Literal[
    "too_fast", "sensor_lost", "battery_low", "clipping", "invalid_motion", "store_full"
]


@dataclass(frozen=True, slots=True)
class JudgedStroke:
    """A stroke and what every rule of the protocol said about it."""

    stroke: Stroke
    verdicts: tuple[Verdict, ...]

    @property
    def too_fast(self) -> bool:
        """Whether the rule "too_fast" was breached."""
        return any(v.breached for v in self.verdicts if v.rule == "too_fast")

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of all breached rules."""
        return tuple(v.reason for v in self.verdicts if v.breached)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One visit to the roller, as it is stored and published.

    Times are Unix seconds; everything else is SI. `mean_speed_mps` is distance over rolling time,
    `p95_speed_mps` and `peak_speed_mps` are over the instants of rolling (speed above the stroke
    threshold). Speeds are None when nothing was rolled,
    speeds and distance when more than a twentieth of the rolling time has no known speed.
    `algorithm` names shape, method and version of the estimator.
    """

    session_id: str
    revision: int
    athlete: str
    roller: str
    region: str
    protocol: str
    started_unix_s: float
    ended_unix_s: float
    rolling_s: float
    hold_s: float
    unknown_s: float
    strokes: int
    too_fast_strokes: int
    mean_speed_mps: float | None
    p95_speed_mps: float | None
    peak_speed_mps: float | None
    time_too_fast_s: float
    distance_m: float | None
    limit_mps: float
    gaps: int
    samples: int
    samples_lost: int
    algorithm: str
    end: EndReason


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """Motion (or a command) opened a session."""

    t_s: float
    session_id: str
    limit_mps: float


@dataclass(frozen=True, slots=True)
class LiveSpeed:
    """The speed a short while ago, said as soon as it is known well enough.

    Attributes:
        t_s: the instant the speed is for.
        said_s: stream time of the reading that made the answer possible; at most 0.3 s later.
        speed_mps: signed surface speed, None when unknown.
        speed_sd_mps: its standard deviation, None when unknown.
        state: what the roller is doing.
        too_fast: the live cue, with hysteresis.
        limit_mps: the rolling protocol's limit.
        session_id: None outside a session.
        block: all instants that became known with this event, `t_s` being the last of them.
    """

    t_s: float
    said_s: float
    speed_mps: float | None
    speed_sd_mps: float | None
    state: State
    too_fast: bool
    limit_mps: float
    session_id: str | None
    block: Motion


@dataclass(frozen=True, slots=True)
class StrokeEnded:
    """A stroke is over; said about a second late, and its numbers may still move a little."""

    session_id: str
    judged: JudgedStroke


@dataclass(frozen=True, slots=True)
class Alert:
    """Something the athlete or coach should know now, raised once and cleared once."""

    t_s: float
    session_id: str | None
    alert_id: str
    kind: AlertKind
    phase: Phase
    value: float | None
    limit: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class FinalSpeed:
    """Best estimate of a stretch of the session; only when asked for (it is large)."""

    session_id: str
    block: Motion


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over: its summary and its final strokes, which replace the prompt ones."""

    t_s: float
    summary: SessionSummary
    strokes: tuple[JudgedStroke, ...]


@dataclass(frozen=True, slots=True)
class SessionDiscarded:
    """A session that motion had opened and in which nothing was rolled."""

    t_s: float
    session_id: str


@dataclass(frozen=True, slots=True)
class LimitSet:
    """Another speed counts as too fast from now on."""

    t_s: float
    limit_mps: float


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The sensor's link came up or went down."""

    t_s: float
    up: bool


@dataclass(frozen=True, slots=True)
class BatteryLevel:
    """The sensor's own word on its battery."""

    t_s: float
    percent: int


Event: TypeAlias = (
    SessionStarted
    | LiveSpeed
    | StrokeEnded
    | Alert
    | FinalSpeed
    | SessionEnded
    | SessionDiscarded
    | LimitSet
    | LinkChanged
    | BatteryLevel
)
