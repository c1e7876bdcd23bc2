"""Plausible events of a session, plain values that a test can bend."""

from __future__ import annotations

import numpy as np

from rolltrack.core.coaching.verdict import Verdict
from rolltrack.core.events import (
    Alert,
    JudgedStroke,
    LiveSpeed,
    SessionEnded,
    SessionStarted,
    SessionSummary,
    StrokeEnded,
)
from rolltrack.core.motion.motion import Motion
from rolltrack.core.strokes.stroke import Stroke
from rolltrack.sinks.sink import Roller

EPOCH_UNIX_S = 1_763_900_000.0
SESSION_ID = "019ab2f1-7c3a-7d10-8a51-0f6c2b9d4e77"
ROLLER = Roller(
    id="rt-3f2a",
    athlete="a7k2",
    region="calf-left",
    radius_m=0.075,
    epoch_unix_s=EPOCH_UNIX_S,
    sensor="Roller 3f2a",
)


def live(t_s: float = 1.0, speed_mps: float | None = 0.0432, **changes) -> LiveSpeed:
    values = {
        "t_s": t_s,
        "said_s": t_s + 0.25,
        "speed_mps": speed_mps,
        "speed_sd_mps": None if speed_mps is None else 0.0019,
        "state": "unknown" if speed_mps is None else "rolling",
        "too_fast": False,
        "limit_mps": 0.075,
        "session_id": SESSION_ID,
        "block": Motion.unknown(np.array([t_s])),
    }
    return LiveSpeed(**(values | changes))


def judged(n: int = 1, *, too_fast: bool = False) -> JudgedStroke:
    stroke = Stroke(
        n=n,
        start_s=2.0 * n,
        end_s=2.0 * n + 3.12,
        direction=-1 if n % 2 else 1,
        length_m=0.2437,
        peak_speed_mps=0.091,
        mean_speed_sd_mps=0.0006,
    )
    reason = "Mean speed 7.8 cm/s is faster than the 7.5 cm/s of your protocol." if too_fast else ""
    return JudgedStroke(stroke, (Verdict("too_fast", too_fast, reason, 0.078, 0.075, 0.94),))


def started(session_id: str = SESSION_ID) -> SessionStarted:
    return SessionStarted(t_s=1.0, session_id=session_id, limit_mps=0.075)


def stroke_ended(n: int = 1, *, too_fast: bool = False) -> StrokeEnded:
    return StrokeEnded(SESSION_ID, judged(n, too_fast=too_fast))


def alert(phase: str = "raised", **changes) -> Alert:
    values = {
        "t_s": 4.0,
        "session_id": SESSION_ID,
        "alert_id": "too-fast-1",
        "kind": "too_fast",
        "phase": phase,
        "value": 0.091,
        "limit": 0.075,
        "unit": "m/s",
    }
    return Alert(**(values | changes))


def summary(session_id: str = SESSION_ID, **changes) -> SessionSummary:
    values = {
        "session_id": session_id,
        "revision": 1,
        "athlete": "a7k2",
        "roller": "rt-3f2a",
        "region": "calf-left",
        "protocol": "slow-release",
        "started_unix_s": EPOCH_UNIX_S + 0.123,
        "ended_unix_s": EPOCH_UNIX_S + 276.123,
        "rolling_s": 214.04,
        "hold_s": 62.0,
        "unknown_s": 0.0,
        "strokes": 96,
        "too_fast_strokes": 11,
        "mean_speed_mps": 0.03841,
        "p95_speed_mps": 0.05792,
        "peak_speed_mps": 0.091,
        "time_too_fast_s": 21.4,
        "distance_m": 8.2012,
        "limit_mps": 0.075,
        "gaps": 0,
        "samples": 34210,
        "samples_lost": 0,
        "algorithm": "roller-map-spline/1",
        "end": "idle",
    }
    return SessionSummary(**(values | changes))


def ended(session_id: str = SESSION_ID, strokes: int = 2, **changes) -> SessionEnded:
    return SessionEnded(
        t_s=276.0,
        summary=summary(session_id, **changes),
        strokes=tuple(judged(n + 1) for n in range(strokes)),
    )
