"""The `rolltrack` program: finds the command, turns every error into one line and an exit code."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import traceback
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from rolltrack.errors import RolltrackError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "demo": ("rolltrack.cli.demo", "See it work, without any hardware."),
    "run": ("rolltrack.cli.run", "Coach live: listen to rollers and phones, publish and store."),
    "record": ("rolltrack.cli.record", "Write what a roller sends into a trace."),
    "scan": ("rolltrack.cli.scan", "List the rollers in range."),
    "analyse": ("rolltrack.cli.analyse", "Strokes and verdicts of a recorded trace."),
    "calibrate": ("rolltrack.cli.calibrate", "The effective radius, from a measured roll."),
    "convert": ("rolltrack.cli.convert", "Turn a phone's or logger's export into a trace."),
    "sessions": ("rolltrack.cli.sessions", "List and show stored sessions."),
    "archive": ("rolltrack.cli.archive", "For coaches: collect and read the sessions of a site."),
    "forget": ("rolltrack.cli.forget", "Clear what is told about a roller, or erase a person."),
    "protocols": ("rolltrack.cli.protocols", "List and show rolling protocols and their evidence."),
    "broker": ("rolltrack.cli.broker_cmd", "Set up a broker that several people share."),
    "mqtt": (
        "rolltrack.cli.mqtt_cmd",
        "Look at a broker, and check what it carries.",
    ),
    "config": ("rolltrack.cli.config_cmd", "Show the configuration in effect."),
    "doctor": ("rolltrack.cli.doctor", "Check what is needed, and say what to do."),
}
"""Name -> module with its Typer `app`, and one line of help; only the module used is imported."""

INTERRUPTED = 130


class _LazyGroup(TyperGroup):
    """Knows the commands from the table, so that help and errors import none of them."""

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # typer's base class for contexts is private
        del ctx
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "`rolltrack --help` lists them."
            raise UsageError(f"There is no command {cmd_name!r}.", hint=hint)
        module, help_line = COMMANDS[cmd_name]
        app: typer.Typer = importlib.import_module(module).app
        app.rich_markup_mode = None
        command = get_command(app)
        command.name = cmd_name
        command.help = command.help or help_line
        command.params = [p for p in command.params if not (p.name or "").endswith("_completion")]
        return command

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # the same
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


app = typer.Typer(
    cls=_LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    epilog="Start with `rolltrack demo`; `rolltrack COMMAND --help` explains a command.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  # slow to import, rarely needed

        typer.echo(f"rolltrack {version('rolltrack')}")
        raise typer.Exit


@app.callback()
def rolltrack(
    ctx: typer.Context,
    *,
    debug: Annotated[  # noqa: ARG001  # main() takes it out of the arguments; here for --help
        bool, typer.Option("--debug", help="Show tracebacks; also accepted after the command.")
    ] = False,
    version: Annotated[  # noqa: ARG001  # acts in its callback
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Measure how fast a foam roller moves; say when it is faster than the protocol's target."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    debug, arguments = _take_debug(arguments)
    program = get_command(app)
    try:
        code = program.main(args=arguments, prog_name="rolltrack", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return _hush_stdout()
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last resort: every fault ends as one line
        if debug:
            traceback.print_exc()
        text, exit_code = _explain(error)
        sys.stderr.write(f"{text}\n")
        return exit_code
    return code if isinstance(code, int) else 0


def run() -> None:
    """Entry point of the installed program."""
    sys.exit(main(sys.argv[1:]))


def _take_debug(arguments: Sequence[str]) -> tuple[bool, list[str]]:
    """Accept --debug anywhere before a bare `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    head = [argument for argument in arguments[:end] if argument != "--debug"]
    return len(head) < end, [*head, *arguments[end:]]


def _explain(error: Exception) -> tuple[str, int]:
    """What to print, and the exit code."""
    culprit = _culprit(error)
    if isinstance(culprit, RolltrackError):
        return _one_line(str(culprit)), culprit.exit_code
    if isinstance(culprit, typer.TyperException):
        text = culprit.format_message().replace("Value error, ", "")  # pydantic's words
        context = getattr(culprit, "ctx", None)
        if text.startswith("Usage:"):  # a group of commands called without one shows its help
            return text, culprit.exit_code
        hint = f" `{context.command_path} --help` explains." if context else ""
        return _one_line(text.rstrip(".") + "." + hint), culprit.exit_code
    if isinstance(culprit, OSError) and culprit.filename and culprit.strerror:
        return _one_line(f"{culprit.filename}: {culprit.strerror.lower()}."), 1
    kind = type(culprit).__name__
    return _one_line(f"unexpected {kind}: {culprit} (run again with --debug for details)"), 1


def _culprit(error: BaseException) -> BaseException:
    """The error a person should read: a task group wraps what its tasks raise."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [_culprit(inner) for inner in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, RolltrackError)), leaves[0])


def _one_line(text: str) -> str:
    return "rolltrack: " + " ".join(text.split())


def _hush_stdout() -> int:
    """The reader of our output went away (`| head`); leave without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
