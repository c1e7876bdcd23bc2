"""`rolltrack sessions`: what was rolled before."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from rolltrack.cli.output import arrow, cm, cm_per_s, minutes, note, print_json, stdout
from rolltrack.cli.session_texts import session_in_words
from rolltrack.config import load_config
from rolltrack.errors import UsageError
from rolltrack.store import SessionStore
from rolltrack.wire import analysed_stroke, session_payload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rolltrack.core.events import JudgedStroke, SessionSummary

SHORT_ID = 13  # of a UUIDv7: its time to the millisecond

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Configuration file that names the store.")
]
StoreFile = Annotated[Path | None, typer.Option("--store", help="Session store to read.")]


@app.callback()
def sessions() -> None:
    """List and show stored sessions."""


@app.command("list")
def list_sessions(
    *,
    athlete: Annotated[str | None, typer.Option(help="Only this athlete's.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    config: ConfigFile = None,
    store: StoreFile = None,
    as_json: AsJson = False,
) -> None:
    """List the newest sessions."""
    path = _store_path(config, store)
    found: list[SessionSummary] = []
    if path.exists():
        with _opened(path) as opened:
            found = opened.newest(limit, athlete=athlete)
    if as_json:
        print_json({"v": 1, "sessions": [session_payload(summary) for summary in found]})
    elif found:
        stdout().print(sessions_table(found))
    else:
        note(f"no sessions in {path} yet")


@app.command()
def show(
    session_id: Annotated[
        str, typer.Argument(metavar="ID", help='Beginning of a session\'s id, or "last".')
    ] = "last",
    *,
    config: ConfigFile = None,
    store: StoreFile = None,
    as_json: AsJson = False,
) -> None:
    """Show one session and its strokes."""
    path = _store_path(config, store)
    if not path.exists():
        raise UsageError(
            f"There is no session store at {path} yet.",
            hint="`rolltrack run` makes it; `--store` names another one.",
        )
    with _opened(path) as opened:
        found = opened.get(session_id)
    payload = session_payload(found.summary)
    if as_json:
        strokes = [analysed_stroke(judged) for judged in found.strokes]
        print_json({"v": 1, "session": payload, "strokes": strokes})
        return
    console = stdout()
    console.print(_strokes_table(found.strokes))
    when = f"{local_time(found.summary.started_unix_s)}, {found.summary.athlete}"
    console.print(f"{when}, {found.summary.region or found.summary.roller}.", markup=False)
    for sentence in session_in_words(payload):
        console.print(sentence, markup=False)


def _store_path(config: Path | None, store: Path | None) -> Path:
    return (store or Path(load_config(config).store.path)).expanduser()


@contextmanager
def _opened(path: Path) -> Iterator[SessionStore]:
    store = SessionStore(path)
    try:
        yield store
    finally:
        store.close()


def sessions_table(found: Sequence[SessionSummary]) -> Table:
    """One line per session, narrow enough for 80 columns."""
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="dim")
    table.add_column("id", min_width=SHORT_ID)
    table.add_column("started", min_width=len("2026-11-23 10:13"))
    for heading in ("athlete", "region"):
        table.add_column(heading, overflow="fold")
    for heading in ("rolled", "strokes", "too\nfast", "mean\ncm/s", "peak\ncm/s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for summary in found:
        table.add_row(
            summary.session_id[:SHORT_ID],
            local_time(summary.started_unix_s),
            summary.athlete,
            summary.region,
            minutes(summary.rolling_s),
            str(summary.strokes),
            Text(str(summary.too_fast_strokes), "red" if summary.too_fast_strokes else "green"),
            cm_per_s(summary.mean_speed_mps),
            cm_per_s(summary.peak_speed_mps),
        )
    return table


def _strokes_table(strokes: Sequence[JudgedStroke]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("stroke", "after", "length", "duration", "mean", "peak"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict")
    for judged in strokes:
        stroke = judged.stroke
        table.add_row(
            f"{stroke.n} {arrow(stroke.direction)}",
            minutes(stroke.start_s - strokes[0].stroke.start_s),
            f"{cm(stroke.length_m)} cm",
            f"{stroke.duration_s:.1f} s",
            f"{cm_per_s(stroke.mean_speed_mps)} cm/s",
            f"{cm_per_s(stroke.peak_speed_mps)} cm/s",
            Text("too fast", "red") if judged.too_fast else Text("ok", "green"),
        )
    return table


def local_time(unix_s: float) -> str:
    """To the minute, in the time zone of this machine."""
    return datetime.fromtimestamp(unix_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
