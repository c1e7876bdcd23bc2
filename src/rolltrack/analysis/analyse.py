"""One tracker, one session, from the first reading to the last."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rolltrack.analysis.series import SeriesWriter
from rolltrack.core.events import FinalSpeed, JudgedStroke, LiveSpeed, SessionEnded, SessionSummary
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker
from rolltrack.errors import InputError, UsageError
from rolltrack.traces.plausibility import TimingDoubt, check_rate, doubt_times
from rolltrack.traces.reader import iter_trace, open_trace, trace_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rolltrack.core.coaching.protocol import RollingProtocol
    from rolltrack.core.intake import Sensors
    from rolltrack.core.motion.shapes import Shape

DEFAULT_RADIUS_M = 0.075


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a recording holds.

    Attributes:
        strokes: final strokes, with verdicts.
        summary: the recording as one session.
        radius_m: rolling radius used.
        protocol_id: rolling protocol used.
        radius_assumed: nobody said the radius, and every speed is proportional to it.
        timing: what is doubted of the recording's times, and so of every speed.
    """

    strokes: tuple[JudgedStroke, ...]
    summary: SessionSummary
    radius_m: float
    protocol_id: str
    radius_assumed: bool = False
    timing: TimingDoubt | None = None


def analyse(
    blocks: Iterable[ImuSamples | SignalGap], setup: Setup, series: SeriesWriter | None = None
) -> SessionEnded:
    """Run blocks of readings through a tracker as one session.

    Args:
        blocks: readings, oldest first, cut anywhere.
        setup: `start_at_once` and `idle_s=None` make the whole recording one session.
        series: receives the speed of every reading.

    Raises:
        InputError: readings cannot be used, or there are none.
    """
    tracker = Tracker(setup)
    ended: SessionEnded | None = None
    for block in blocks:
        if series is not None and isinstance(block, ImuSamples):
            series.expect(block.t_s)
        for event in tracker.feed(block):
            if series is not None and isinstance(event, LiveSpeed | FinalSpeed):
                series.take(event)
    for event in tracker.finish():
        if series is not None and isinstance(event, LiveSpeed | FinalSpeed):
            series.take(event)
        if isinstance(event, SessionEnded):
            ended = event
    if series is not None:
        series.finish()
    if ended is None:
        raise InputError(
            "the recording holds no usable readings.",
            hint="It may be too short, or lack a sensor in every row.",
        )
    return ended


def analyse_trace(
    path: str | Path,
    *,
    protocol: RollingProtocol,
    radius_m: float | None = None,
    shape: Shape = "roller",
    sensors: Sensors = "auto",
    series: str | Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Analysis:
    """Analyse a trace file in bounded memory.

    Args:
        path: a trace (.csv or .csv.gz).
        protocol: what to judge by.
        radius_m: rolling radius; None takes the trace's, else 75 mm.
        shape: what was rolled.
        sensors: which readings to use.
        series: file to write the speed of every reading to.
        progress: called with the share of the file read, 0 to 1.

    Raises:
        InputError: the file is not a trace, or its readings cannot be used.
        UsageError: `series` is the trace itself, or cannot be written.
    """
    path = Path(path)
    meta = open_trace(path).meta
    if series is not None and Path(series).exists() and path.samefile(series):
        raise UsageError(
            f"{series}: the series would replace the trace;", hint="choose a new name."
        )
    assumed = radius_m is None and meta.radius_m is None
    used_m = radius_m or meta.radius_m or DEFAULT_RADIUS_M
    setup = Setup(
        roller="trace",
        athlete="me",
        protocol=protocol,
        radius_m=used_m,
        shape=shape,
        epoch_unix_s=meta.started_at_unix_s or 0.0,
        id_salt=trace_name(path).encode(),
        axle=meta.axle,
        sensors=sensors,
        idle_s=None,
        start_at_once=True,
        live=series is not None,
        keep_series=series is not None,
    )
    size = max(1, path.stat().st_size)
    on_bytes = None if progress is None else lambda read: progress(min(1.0, read / size))
    blocks = iter_trace(path, on_bytes=on_bytes)
    first = next(blocks)  # its faults come before an older series is given up
    check_rate(first.t_s, str(path))
    with SeriesWriter(Path(series)) if series is not None else nullcontext() as writer:
        ended = analyse(chain([first], blocks), setup, writer)
    timing = doubt_times(first.t_s)
    return Analysis(ended.strokes, ended.summary, used_m, protocol.id, assumed, timing)
