"""`rolltrack convert`: another program's recording becomes a trace."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from rolltrack.cli.output import note, print_json, progress_bar, stdout
from rolltrack.core.motion.radius import LEAST_RADIUS_M, MOST_RADIUS_M
from rolltrack.errors import UsageError
from rolltrack.traces.convert import Converted, convert
from rolltrack.traces.format import parse_moment
from rolltrack.traces.writer import write_trace

if TYPE_CHECKING:
    from rolltrack.core.sample import ImuSamples

app = typer.Typer()


@app.command("convert")
def convert_recording(
    recording: Annotated[
        Path, typer.Argument(metavar="IN", help="A file, a zip or a folder of phone exports.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Trace to write: .csv or .csv.gz.")],
    *,
    mapping: Annotated[
        str | None,
        typer.Option("--map", help='Columns and units: "t=time:ms,ax=accX:g,gx=rotX:dps,…".'),
    ] = None,
    radius_mm: Annotated[
        float | None,
        typer.Option(
            min=1000 * LEAST_RADIUS_M,
            max=1000 * MOST_RADIUS_M,
            help="Rolling radius, kept in the trace.",
        ),
    ] = None,
    started_at: Annotated[
        str | None, typer.Option(help="When it began, like 2026-11-23T10:13:20Z.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Turn a recording of phyphox, Sensor Logger or any table with units into a trace."""
    if not out.name.endswith((".csv", ".csv.gz")):
        raise UsageError(f"{out}: a trace is called .csv or .csv.gz.", hint=f"Try {out.stem}.csv.")
    if out.exists() and recording.exists() and out.samefile(recording):
        raise UsageError(
            f"{out}: the trace would replace the recording;", hint="choose a new name."
        )
    with progress_bar("reading") as progress:
        found = convert(
            recording,
            mapping=mapping,
            radius_m=None if radius_mm is None else radius_mm / 1000,
            started_at=None if started_at is None else _unix_s(started_at),
            on_progress=lambda done, of_all: progress(done / max(of_all, 1)),
        )
    write_trace(out, found.trace)
    if as_json:
        print_json(_document(found, recording, out))
        return
    for each in found.notes:
        note(each)
    stdout().print(_in_words(found, out), markup=False, soft_wrap=True)


def _unix_s(text: str) -> float:
    return parse_moment(text, "--started-at", UsageError)


def _in_words(found: Converted, out: Path) -> str:
    samples = found.trace.samples
    sensors = " and ".join(_sensors(samples))
    return (
        f"{out}: {len(samples)} readings of {sensors} over {_duration_s(samples):.1f} s"
        f" at {_rate_hz(samples):.0f} Hz, read as {found.format_name}"
    )


def _document(found: Converted, recording: Path, out: Path) -> dict[str, object]:
    samples, meta = found.trace.samples, found.trace.meta
    return {
        "v": 1,
        "in": str(recording),
        "out": str(out),
        "format": found.format_name,
        "rows": len(samples),
        "duration_s": _duration_s(samples),
        "rate_hz": _rate_hz(samples),
        "sensors": _sensors(samples),
        "radius_m": meta.radius_m,
        "started_at_unix_s": meta.started_at_unix_s,
        "notes": found.notes,
    }


def _sensors(samples: ImuSamples) -> list[str]:
    accel = [] if samples.accel_mps2 is None else ["accelerometer"]
    return accel + ([] if samples.gyro_radps is None else ["gyroscope"])


def _duration_s(samples: ImuSamples) -> float:
    return float(samples.t_s[-1] - samples.t_s[0])


def _rate_hz(samples: ImuSamples) -> float:
    """Readings per second, from the middle of their distances: pauses do not count."""
    return float(1 / np.median(np.diff(samples.t_s))) if len(samples) > 1 else 0.0
