"""`rolltrack analyse`: the strokes of a recorded trace, judged."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import Annotated

import typer

from rolltrack.analysis import analyse_trace
from rolltrack.cli.output import note, print_json, progress_bar, stderr, stdout
from rolltrack.cli.session_texts import session_in_words
from rolltrack.cli.table_texts import TABLE_TEXTS
from rolltrack.cli.tables import analysed_table
from rolltrack.cli.timing_texts import warn_of
from rolltrack.core.intake import Sensors  # noqa: TC001  # typer reads annotations at run time
from rolltrack.core.motion.radius import LEAST_RADIUS_M, MOST_RADIUS_M
from rolltrack.core.motion.shapes import Shape  # noqa: TC001  # the same
from rolltrack.protocols import load_protocol
from rolltrack.sinks.live_texts import Lang, language_of
from rolltrack.wire import analysis_document, session_payload

app = typer.Typer()


@app.command()
def analyse(
    trace: Annotated[Path, typer.Argument(help="Trace file (.csv or .csv.gz).")],
    *,
    radius_mm: Annotated[
        float | None,
        typer.Option(
            min=1000 * LEAST_RADIUS_M,
            max=1000 * MOST_RADIUS_M,
            help="Rolling radius; else the trace's.",
        ),
    ] = None,
    shape: Annotated[
        Shape,
        typer.Option(help="A roller on its axle, a free ball, or a phone worn on the body."),
    ] = "roller",
    protocol: Annotated[
        str, typer.Option(help="Id of a bundled rolling protocol, or a TOML file.")
    ] = "slow-release",
    sensors: Annotated[Sensors, typer.Option(help="Which readings to use.")] = "auto",
    lang: Annotated[Lang | None, typer.Option(help="Language. [default: what $LANG says]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    series: Annotated[
        Path | None, typer.Option(help="Write the speed at every reading to this CSV file.")
    ] = None,
) -> None:
    """Find the strokes of a trace, say how fast each was, and judge them by a rolling protocol."""
    rules = load_protocol(protocol)
    chosen = lang or language_of(os.environ)
    say = TABLE_TEXTS[chosen]
    with progress_bar(say.analysing) as progress:
        found = analyse_trace(
            trace,
            protocol=rules,
            radius_m=None if radius_mm is None else radius_mm / 1000,
            shape=shape,
            sensors=sensors,
            series=series,
            progress=progress,
        )
    if found.timing is not None:
        warn_of(found.timing, trace, chosen)
    if found.radius_assumed:
        note(say.radius_assumed.format(1000 * found.radius_m), chosen)
    if as_json:
        print_json(
            analysis_document(
                str(trace), found.radius_m, found.protocol_id, found.strokes, found.summary
            )
        )
        return
    console = stdout()
    console.print(analysed_table(found.strokes, chosen))
    for sentence in session_in_words(session_payload(found.summary), chosen):
        console.print(sentence, markup=False)
    if series is not None:
        stderr().print(say.wrote.format(series), style="dim", markup=False)
