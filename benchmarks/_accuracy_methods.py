"""The ways to a speed that are compared: the obvious ones, and ours through its public face."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from _accuracy_session import Answer, FoundStroke
from scipy.signal import savgol_filter

from rolltrack import load_protocol
from rolltrack.core.events import Event, FinalSpeed, LiveSpeed, SessionEnded, StrokeEnded
from rolltrack.core.motion.constants import no_slip_time_s
from rolltrack.core.motion.motion import Motion
from rolltrack.core.motion.naive import naive_speed_mps
from rolltrack.core.motion.no_slip import undo_no_slip
from rolltrack.core.motion.phase import in_plane, plane_across
from rolltrack.core.setup import Setup
from rolltrack.core.strokes.segmenter import Segmenter
from rolltrack.core.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _accuracy_session import SensorSet, Session

    from rolltrack.core.sample import FloatArray
    from rolltrack.core.strokes.stroke import Stroke

_REST_S = 1.5
"""Every session begins with at least this much rest."""
_WINDOW_S = 0.3
_PACKET_S = 0.1
_BLOCK = 4096
_PROTOCOL = load_protocol("slow-release")


def answers(session: Session, sensors: SensorSet) -> dict[str, Answer]:
    """What every method says that can use these sensors, by name."""
    found: dict[str, Answer] = {}
    if session.shape == "body":
        return ours(session, sensors)
    if session.shape == "ball":
        if sensors == "accel":
            found["naive"] = _series(session, _naive_ball)
    elif sensors == "accel":
        found["naive"] = _series(session, _naive)
        found["no-slip inverse"] = _series(session, _inverse)
    else:
        found["gyro x R"] = _series(session, _gyro)
    return found | ours(session, sensors)


def ours(session: Session, sensors: SensorSet, *, live_too: bool = True) -> dict[str, Answer]:
    """Live and final, by a tracker each so that their costs can be told apart."""
    final_events, final_s = _track(session, sensors, live=False)
    (ended,) = (event for event in final_events if isinstance(event, SessionEnded))
    final = _said(session, (e.block for e in final_events if isinstance(e, FinalSpeed)))
    found = {
        "ours final": Answer(*final, _found(judged.stroke for judged in ended.strokes), final_s)
    }
    if not live_too:
        return found
    live_events, both_s = _track(session, sensors, live=True)
    live = _said(session, (e.block for e in live_events if isinstance(e, LiveSpeed)))
    prompt = [event.judged.stroke for event in live_events if isinstance(event, StrokeEnded)]
    return {"ours live": Answer(*live, _found(prompt), max(both_s - final_s, 0.0)), **found}


def _track(session: Session, sensors: SensorSet, *, live: bool) -> tuple[list[Event], float]:
    options: dict[str, Any] = {
        "roller": "bench",
        "athlete": "bench",
        "protocol": _PROTOCOL,
        "radius_m": session.radius_m,
        "shape": session.shape,
        "sensors": sensors,
        "idle_s": None,
        "start_at_once": True,
        "live": live,
        "keep_series": not live,
    }
    samples, events = session.with_sensors(sensors), list[Event]()
    step = max(1, round(_PACKET_S / float(np.median(np.diff(samples.t_s))))) if live else _BLOCK
    started_s = time.process_time()
    tracker = Tracker(Setup(**options))
    for start in range(0, len(samples), step):
        events += tracker.feed(samples[start : start + step])
    events += tracker.finish()
    return events, time.process_time() - started_s


def _said(session: Session, blocks: Iterable[Motion]) -> tuple[FloatArray, FloatArray]:
    """Speed and standard deviation at every reading; NaN where unknown or never said."""
    t_s = session.samples.t_s
    speed, sd = (np.full(len(t_s), np.nan) for _ in range(2))
    for block in blocks:
        at = np.searchsorted(t_s, block.t_s)
        speed[at] = np.where(block.valid, block.speed_mps, np.nan)
        sd[at] = np.where(block.valid, block.speed_sd_mps, np.nan)
    return speed, sd


def _found(strokes: Iterable[Stroke]) -> list[FoundStroke]:
    return [
        FoundStroke(
            s.start_s,
            s.end_s,
            _or_nan(s.length_m),
            _or_nan(s.mean_speed_mps),
            _or_nan(s.mean_speed_sd_mps),
            _or_nan(s.peak_speed_mps),
        )
        for s in strokes
    ]


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _series(session: Session, method: Callable[[Session], FloatArray]) -> Answer:
    """A method that gives a speed and nothing else: strokes follow by the rule."""
    started_s = time.process_time()
    speed = method(session)
    cpu_s = time.process_time() - started_s
    known = np.ones(len(speed), dtype=bool)
    segmenter = Segmenter()
    strokes = segmenter.feed(Motion(session.samples.t_s, speed, np.zeros(len(speed)), known))
    return Answer(speed, None, _found(strokes + segmenter.end_stretch(gap=False)), cpu_s)


def _naive(session: Session) -> FloatArray:
    accel = session.samples.accel_mps2
    assert accel is not None
    assert session.axle is not None
    return naive_speed_mps(session.samples.t_s, accel, session.axle, session.radius_m)


def _inverse(session: Session) -> FloatArray:
    """Closed form: undo what rolling without slip does to the phase, bias and lever arm ignored."""
    t_s, accel = session.samples.t_s, session.samples.accel_mps2
    assert accel is not None
    assert session.axle is not None
    phase = np.unwrap(np.angle(in_plane(accel, plane_across(session.axle))))
    turning = undo_no_slip(t_s, phase, no_slip_time_s(session.radius_m))
    return np.asarray(session.radius_m * turning.rate_radps)


def _naive_ball(session: Session) -> FloatArray:
    """How fast gravity's direction moves, times the radius."""
    accel, t_s = session.samples.accel_mps2, session.samples.t_s
    assert accel is not None
    period_s = float(np.median(np.diff(t_s)))
    window = max(5, 2 * round(_WINDOW_S / period_s / 2) + 1)
    up = accel / np.linalg.norm(accel, axis=1)[:, None]
    turning = savgol_filter(up, window, 2, deriv=1, delta=period_s, axis=0)
    return np.asarray(session.radius_m * np.linalg.norm(turning, axis=1))


def _gyro(session: Session) -> FloatArray:
    gyro, t_s = session.samples.gyro_radps, session.samples.t_s
    assert gyro is not None
    assert session.axle is not None
    rate = gyro - np.median(gyro[t_s < t_s[0] + _REST_S], axis=0)
    return np.asarray(session.radius_m * (rate @ session.axle))
