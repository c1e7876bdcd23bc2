"""`rolltrack archive export`: to standard output, or into a file that appears when it is whole."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from rolltrack.archive.export import Format, write_export
from rolltrack.archive.reading import count_sessions, payloads
from rolltrack.cli.output import note, progress_bar

if TYPE_CHECKING:
    from pathlib import Path

    from rolltrack.archive import ArchiveStore


def export_sessions(
    store: ArchiveStore,
    form: Format,
    out: Path | None,
    *,
    athlete: str | None,
    since_unix_s: float | None,
) -> None:
    """Export what fits; says on stderr how much it was."""
    if out is None:
        written = _export(store, form, sys.stdout, athlete, since_unix_s)
    else:
        part = out.with_name(f"{out.name}.part")
        try:
            with os.fdopen(_private(part), "w", encoding="utf-8", newline="") as file:
                written = _export(store, form, file, athlete, since_unix_s)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    note(f"{written} sessions exported")


def _private(path: Path) -> int:
    """Open a file that only its owner may read: it is about people."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _export(
    store: ArchiveStore,
    form: Format,
    out: TextIO,
    athlete: str | None,
    since_unix_s: float | None,
) -> int:
    total = count_sessions(store, athlete=athlete, since_unix_s=since_unix_s)
    found = payloads(store, athlete=athlete, since_unix_s=since_unix_s)
    written = 0
    with progress_bar("exporting") as progress:
        for written in write_export(found, out, form):  # the last one is the result
            progress(written / max(total, 1))
    return written
