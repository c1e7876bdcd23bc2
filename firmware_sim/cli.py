"""The `rolltrack-sim` program: invents traces and replays them over virtual Bluetooth."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path  # noqa: TC003  # typer reads it from the signatures at run time
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from firmware_sim.errors import SimError

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

INTERRUPTED = 130


@app.callback()
def rolltrack_sim() -> None:
    """Virtual rollers for trying and testing rolltrack without hardware."""


@app.command()
def scenarios() -> None:
    """List the bundled scenarios."""
    from firmware_sim.scenario import bundled_scenarios  # noqa: PLC0415  # keeps --help quick

    for name, scenario in bundled_scenarios().items():
        typer.echo(f"{name:10} {scenario.about}")


@app.command()
def generate(
    scenario: Annotated[str, typer.Argument(help="Name of a bundled scenario, or a .toml file.")],
    *,
    out: Annotated[Path, typer.Option(help="Trace to write: .csv or .csv.gz.")],
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same trace.")] = 1,
    started_at: Annotated[
        str | None, typer.Option(help="Time of the first reading, such as 2026-11-23T10:13:20Z.")
    ] = None,
) -> None:
    """Invent a trace from a scenario, with the true speed beside the readings."""
    from firmware_sim import scenario as scenarios_module  # noqa: PLC0415  # keeps --help quick
    from firmware_sim.trace import write_trace  # noqa: PLC0415  # the same

    trace = scenarios_module.generate(scenarios_module.load_scenario(scenario), seed)
    if started_at is not None:
        trace = trace.with_metadata(started_at=started_at)
    try:
        write_trace(out, trace)
    except OSError as error:
        raise SimError(f"{out}: cannot be written ({error.strerror}).") from error
    typer.echo(f"{out}: {len(trace.t_s)} readings, {trace.duration_s:.1f} s")


def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        code = get_command(app).main(arguments, prog_name="rolltrack-sim", standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last resort: every fault ends as one line
        if debug:
            traceback.print_exc()
        text, exit_code = _explain(error)
        sys.stderr.write(text)
        return exit_code
    return code if isinstance(code, int) else 0


def run() -> None:
    """Entry point of the installed program."""
    sys.exit(main(sys.argv[1:]))


def _explain(error: Exception) -> tuple[str, int]:
    """What to print, and the exit code."""
    if isinstance(error, SimError):
        text, exit_code = str(error), error.exit_code
    elif isinstance(error, typer.TyperException):
        text, exit_code = error.format_message(), error.exit_code
        if text.startswith("Usage:"):  # no command was given: the text is the help
            return f"{text}\n", exit_code
    else:
        text = f"unexpected {type(error).__name__}: {error} (run again with --debug for details)"
        exit_code = 1
    return f"rolltrack-sim: {' '.join(text.split())}\n", exit_code
