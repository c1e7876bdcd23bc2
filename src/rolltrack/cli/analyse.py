"""`rolltrack analyse`: the strokes of a recorded trace, judged."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer
from rich.table import Table
from rich.text import Text

from rolltrack.analysis import Analysis, analyse_trace
from rolltrack.cli.output import (
    arrow,
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
from rolltrack.errors import UsageError
from rolltrack.protocols import load_protocol
from rolltrack.wire import analysis_document, session_payload

if TYPE_CHECKING:
    from rolltrack.core.events import JudgedStroke


Shape: TypeAlias = Literal["roller", "ball", "body"]

app = typer.Typer()


@app.command()
def analyse(
    trace: Annotated[Path, typer.Argument(help="Trace file (.csv or .csv.gz).")],
    *,
    radius_mm: Annotated[
        float | None, typer.Option(min=5.0, max=1000.0, help="Rolling radius; else the trace's.")
    ] = None,
    shape: Annotated[Shape, typer.Option(help="What was rolled.")] = "roller",
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
    if shape != "roller":
        raise UsageError(
            f"--shape {shape}: this version measures only rollers.",
            hint="Leave --shape out for a roller; other shapes would get wrong speeds.",
        )
    rules = load_protocol(protocol)
    with progress_bar("analysing") as progress:
        found = analyse_trace(
            trace,
            protocol=rules,
            radius_m=None if radius_mm is None else radius_mm / 1000,
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
        sd = cm_per_s(stroke.mean_speed_sd_mps, digits=2)
        table.add_row(
            f"{stroke.n} {arrow(stroke.direction)}",
            minutes(stroke.start_s),
            f"{100 * stroke.length_m:.1f} cm",
            f"{stroke.duration_s:.1f} s",
            f"{cm_per_s(stroke.mean_speed_mps, digits=2)} ± {sd} cm/s",
            f"{cm_per_s(stroke.peak_speed_mps)} cm/s",
            _verdict(judged),
        )
    return table


def _verdict(judged: JudgedStroke) -> Text:
    verdict = Text("too fast", "red") if judged.too_fast else Text("ok", "green")
    if judged.stroke.partly_unknown:
        verdict.append(", partly not measured", "yellow")
    return verdict
