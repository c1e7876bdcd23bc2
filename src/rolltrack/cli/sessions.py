"""`rolltrack sessions`: what was rolled before."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rolltrack.cli.output import note, print_json, stdout
from rolltrack.cli.session_texts import session_in_words
from rolltrack.cli.table_texts import TABLE_TEXTS
from rolltrack.cli.tables import local_time, sessions_table, stored_table
from rolltrack.config import load_config
from rolltrack.errors import InputError, UsageError
from rolltrack.sinks.live_texts import Lang, language_of
from rolltrack.store import SessionStore
from rolltrack.wire import analysed_stroke, session_payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.core.events import SessionSummary

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Configuration file that names the store.")
]
Language = Annotated[
    Lang | None, typer.Option("--lang", help="Language. [default: what $LANG says]")
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
    lang: Language = None,
    config: ConfigFile = None,
    store: StoreFile = None,
    as_json: AsJson = False,
) -> None:
    """List the newest sessions."""
    path, chosen = _store_path(config, store), lang or language_of(os.environ)
    found: list[SessionSummary] = []
    if path.exists():
        with _opened(path) as opened:
            found = opened.newest(limit, athlete=athlete)
    if as_json:
        print_json({"v": 1, "sessions": [session_payload(summary) for summary in found]})
    elif found:
        stdout().print(sessions_table(found, chosen))
    else:
        note(TABLE_TEXTS[chosen].no_sessions.format(path), chosen)


@app.command()
def show(
    session_id: Annotated[
        str, typer.Argument(metavar="ID", help='Beginning of a session\'s id, or "last".')
    ] = "last",
    *,
    lang: Language = None,
    config: ConfigFile = None,
    store: StoreFile = None,
    as_json: AsJson = False,
) -> None:
    """Show one session and its strokes."""
    path, chosen = _store_path(config, store), lang or language_of(os.environ)
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
    console.print(stored_table(found.strokes, chosen))
    when = f"{local_time(found.summary.started_unix_s)}, {found.summary.athlete}"
    console.print(f"{when}, {found.summary.region or found.summary.roller}.", markup=False)
    for sentence in session_in_words(payload, chosen):
        console.print(sentence, markup=False)


def _store_path(config: Path | None, store: Path | None) -> Path:
    return (store or Path(load_config(config).store.path)).expanduser()


@contextmanager
def _opened(path: Path) -> Iterator[SessionStore]:
    if not path.stat().st_size:  # to open it would make a store of it
        raise InputError(f"{path}: the file is empty, not a session store.")
    store = SessionStore(path)
    try:
        yield store
    finally:
        store.close()
