"""`rolltrack analyse`: the strokes of a recorded trace, judged."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from rolltrack.analysis import Analysis, analyse_trace
from rolltrack.cli.output import (
    arrow,
    cm,
    cm_per_s,
    minutes,
    note,
    print_json,
    progress_bar,
    stderr,
    stdout,
)
from rolltrack.cli.session_texts import session_in_words
from rolltrack.core.intake import Sensors  # noqa: TC001  # typer reads annotations at run time
from rolltrack.core.motion.shapes import Shape  # noqa: TC001  # the same
from rolltrack.protocols import load_protocol
from rolltrack.wire import analysis_document, session_payload

if TYPE_CHECKING:
    from rolltrack.core.events import JudgedStroke

app = typer.Typer()


@app.command()
def analyse(
    trace: Annotated[Path, typer.Argument(help="Trace file (.csv or .csv.gz).")],
    *,
    radius_mm: Annotated[
        float | None, typer.Option(min=5.0, max=1000.0, help="Rolling radius; else the trace's.")
    ] = None,
    shape: Annotated[
        Shape,
        typer.Option(help="A roller on its axle, a free ball, or a phone worn on the body."),
    ] = "roller",
    protocol: Annotated[
        str, typer.Option(help="Id of a bundled rolling protocol, or a TOML file.")
    ] = "slow-release",
    sensors: Annotated[Sensors, typer.Option(help="Which readings to use.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    series: Annotated[
        Path | None, typer.Option(help="Write the speed at every reading to this CSV file.")
    ] = None,
) -> None:
    """Find the strokes of a trace, say how fast each was, and judge them by a rolling protocol."""
    rules = load_protocol(protocol)
    with progress_bar("analysing") as progress:
        found = analyse_trace(
            trace,
            protocol=rules,
            radius_m=None if radius_mm is None else radius_mm / 1000,
            shape=shape,
            sensors=sensors,
            series=series,
            progress=progress,
        )
    for each in found.notes:
        note(each)
    if as_json:
        print_json(
            analysis_document(
                str(trace), found.radius_m, found.protocol_id, found.strokes, found.summary
            )
        )
        return
    console = stdout()
    console.print(_table(found))
    for sentence in session_in_words(session_payload(found.summary)):
        console.print(sentence, markup=False)
    if series is not None:
        stderr().print(f"wrote {series}", style="dim", markup=False)


def _table(found: Analysis) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("stroke", "at", "length", "duration", "mean ± sd", "peak"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for judged in found.strokes:
        stroke = judged.stroke
        mean = cm_per_s(stroke.mean_speed_mps, digits=2)
        if stroke.mean_speed_sd_mps is not None:
            mean += f" ± {cm_per_s(stroke.mean_speed_sd_mps, digits=2)}"
        table.add_row(
            f"{stroke.n} {arrow(stroke.direction)}",
            minutes(stroke.start_s),
            f"{cm(stroke.length_m)} cm",
            f"{stroke.duration_s:.1f} s",
            f"{mean} cm/s",
            f"{cm_per_s(stroke.peak_speed_mps)} cm/s",
            _verdict(judged),
        )
    return table


def _verdict(judged: JudgedStroke) -> Text:
    if judged.stroke.mean_speed_mps is None:
        return Text("speed not known", "yellow")
    verdict = Text("too fast", "red") if judged.too_fast else Text("ok", "green")
    if judged.stroke.partly_unknown:
        verdict.append(", partly not measured", "yellow")
    return verdict
