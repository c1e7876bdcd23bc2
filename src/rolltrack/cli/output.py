"""What commands print with: consoles, JSON, a progress bar, and numbers as people read them."""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rolltrack.sinks.live_texts import Lang

UNKNOWN = "?"


def stdout() -> Console:
    """The console for results."""
    return Console(highlight=False, soft_wrap=False)


def stderr() -> Console:
    """The console for everything else: progress, notes, logs."""
    return Console(stderr=True, highlight=False)


def print_json(document: object) -> None:
    """Print one JSON document, and nothing but it, on stdout."""
    sys.stdout.write(msgspec.json.encode(document).decode() + "\n")


def note(text: str, lang: Lang = "en") -> None:
    """Say something on stderr that is worth knowing and is not an error."""
    label = {"en": "note", "de": "Hinweis"}[lang]
    stderr().print(f"{label}: {text}", style="dim", markup=False, soft_wrap=True)


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[float], None]]:
    """A bar on stderr, on terminals only; call what it yields with the share done (0 to 1)."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    console = stderr()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(description, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def cm_per_s(speed_mps: float | None, digits: int = 1) -> str:
    """0.0432 m/s reads "4.3"; None and NaN read "?"."""
    if speed_mps is None or math.isnan(speed_mps):
        return UNKNOWN
    return f"{100 * speed_mps:.{digits}f}"


def minutes(duration_s: float) -> str:
    """83.4 s reads "1:23"."""
    whole = round(duration_s)
    return f"{whole // 60}:{whole % 60:02d}"


def arrow(direction: int) -> str:
    """Direction of a stroke; which way is which depends on how the sensor is mounted."""
    return "→" if direction > 0 else "←"
