"""`rolltrack doctor`: what is needed, what was found, and what to do about it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from rolltrack.cli.doctor_checks import (
    Check,
    Result,
    Stopwatch,
    check_bluetooth,
    check_broker,
    check_clock,
    check_configuration,
    check_demo,
    check_secrets,
    check_store,
)
from rolltrack.cli.output import print_json, stdout

COLOURS: dict[Result, str] = {
    "ok": "green",
    "missing": "yellow",
    "unsafe": "yellow",
    "broken": "bold red",
}

app = typer.Typer()


@app.command()
def doctor(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Configuration file; else ./rolltrack.toml or the user's."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check what rolltrack needs, and say what to do.

    "missing" is not needed for a first run (`rolltrack demo`). "unsafe" works, but others could
    abuse it. "broken" is something that was asked for and does not work; the exit code is then 1.
    """
    checks = list(_all_checks(config))
    if as_json:
        print_json({"v": 1, "ok": not _broken(checks), "checks": checks})
    else:
        stdout().print(_table(checks))
    if _broken(checks):
        raise typer.Exit(1)


def _all_checks(path: Path | None) -> list[Check]:
    stopwatch = Stopwatch()
    configuration, config, asked_for = check_configuration(path)
    checks = [
        configuration,
        *check_bluetooth(config, asked_for=asked_for),
        check_broker(config.mqtt),
        *check_secrets(config),
        check_store(config),
        check_demo(),
    ]
    return [*checks, check_clock(*stopwatch.elapsed())]


def _broken(checks: list[Check]) -> bool:
    return any(check.result == "broken" for check in checks)


def _table(checks: list[Check]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("check", "result", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        colour = COLOURS[check.result]
        table.add_row(
            check.about, f"[{colour}]{check.result}[/]", Text(check.found), Text(check.advice)
        )
    return table
