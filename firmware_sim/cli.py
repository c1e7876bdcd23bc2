"""The `rolltrack-sim` program: invents traces and replays them over virtual Bluetooth."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace
from typer.main import get_command

from firmware_sim.errors import SimError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_sim.air import Air
    from firmware_sim.trace import Trace

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    epilog="`--debug` after any command shows tracebacks.",
)

INTERRUPTED = 130


@app.callback()
def rolltrack_sim(ctx: typer.Context) -> None:
    """Virtual rollers for trying and testing rolltrack without hardware."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@app.command()
def scenarios() -> None:
    """List the bundled scenarios."""
    from firmware_sim.scenario import bundled_scenarios  # noqa: PLC0415  # keeps --help quick

    bundled = bundled_scenarios()
    width = max(map(len, bundled))
    for name, scenario in bundled.items():
        typer.echo(f"{name:{width}} {scenario.about}")


@app.command()
def generate(
    scenario: Annotated[str, typer.Argument(help="Name of a bundled scenario, or a .toml file.")],
    *,
    out: Annotated[Path, typer.Option(help="Trace to write: .csv or .csv.gz.")],
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same trace.")] = 1,
    started_at: Annotated[
        str | None, typer.Option(help="Time of the first reading, such as 2026-11-23T10:13:20Z.")
    ] = None,
    strokes: Annotated[
        Path | None, typer.Option(help="CSV for the true strokes; else beside the trace.")
    ] = None,
) -> None:
    """Invent a trace from a scenario.

    The true speed stands beside the readings, the true strokes in NAME.strokes.csv, for benchmarks.
    """
    from firmware_sim.scenario import load_scenario  # noqa: PLC0415  # keeps --help quick
    from firmware_sim.session import record  # noqa: PLC0415  # the same
    from firmware_sim.strokes import write_strokes  # noqa: PLC0415  # the same
    from firmware_sim.trace import write_trace  # noqa: PLC0415  # the same

    if started_at is not None:
        _check_moment(started_at)
    recording = record(load_scenario(scenario), seed)
    trace = recording.trace
    if started_at is not None:
        trace = trace.with_metadata(started_at=started_at)
    try:
        write_trace(out, trace)
        write_strokes(strokes or _strokes_beside(out), recording.strokes)
    except OSError as error:
        where = error.filename or out
        raise SimError(f"{where}: cannot be written ({error.strerror}).") from error
    typer.echo(f"{out}: {len(trace.t_s)} readings, {trace.duration_s:.1f} s")


@app.command()
def replay(
    what: Annotated[
        str,
        typer.Argument(
            metavar="TRACE|SCENARIO",
            help="Trace (.csv or .csv.gz), or scenario as for `generate`, over the air it has.",
        ),
    ],
    *,
    ble: Annotated[
        str, typer.Option(help="Where programs reach the virtual Bluetooth; port 0: any free one.")
    ] = "tcp:127.0.0.1:6402",
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many rollers.")] = 1,
    name: Annotated[str, typer.Option(help="{n} is the number of the roller.")] = "Roller-{n}",
    address: Annotated[
        str, typer.Option(help="Of the first roller; the others count up.")
    ] = "F0:5E:00:00:00:01",
    serial: Annotated[str, typer.Option(help="{n} is the number of the roller.")] = "rt-sim-{n}",
    radius_mm: Annotated[
        float | None, typer.Option(min=0.1, max=6553.5, help="Default: what the trace says.")
    ] = None,
    rate: Annotated[int, typer.Option(min=1, max=1000, help="Readings per second at first.")] = 100,
    packet_samples: Annotated[int, typer.Option(min=1, max=255, help="Samples per packet.")] = 10,
    battery: Annotated[int, typer.Option(min=0, max=100, help="Charge in percent.")] = 87,
    seed: Annotated[
        int, typer.Option(min=0, help="Of a scenario, and of the packets that are lost.")
    ] = 1,
    interval_ms: Annotated[
        float | None,
        typer.Option(
            min=7.5,
            max=4000,
            help="Connection interval: packets leave in bursts. This and what follows up to"
            " --reboot-at wins over a scenario's air. Default: 30.",
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=1000, help="Run the roller and its clock so much faster.")
    ] = 1.0,
    clock_us: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Device clock at power-on. Default: 0.")
    ] = None,
    drift_ppm: Annotated[
        float | None,
        typer.Option(min=-1e5, max=1e5, help="How much too fast its clock runs. Default: 0."),
    ] = None,
    loss: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of packets that are lost. Default: 0.")
    ] = None,
    duplicates: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of packets that come twice. Default: 0."),
    ] = None,
    freeze_at: Annotated[
        float | None, typer.Option(min=0, help="Second of the trace at which the firmware hangs.")
    ] = None,
    freeze_for: Annotated[
        float | None, typer.Option(min=0, help="Seconds it hangs. Default: 5.")
    ] = None,
    reboot_at: Annotated[
        float | None, typer.Option(min=0, help="Second of the trace at which it reboots.")
    ] = None,
    wait_for_subscriber: Annotated[
        bool,
        typer.Option(
            "--wait-for-subscriber/--no-wait", help="Begin when somebody subscribes, or at once."
        ),
    ] = True,
    loop: Annotated[
        bool,
        typer.Option(
            "--loop", help="Repeat the trace for ever; a roller that ends turned jumps back then."
        ),
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Disconnect and exit once all has been sent.")
    ] = False,
) -> None:
    """Put rollers on the air that measure what a trace holds.

    After the trace they lie still and keep sending. Prints `ready tcp:HOST:PORT` when programs
    can connect.
    """
    from firmware_sim import replay as replays  # noqa: PLC0415  # bumble is slow to import
    from firmware_sim.packets import Config  # noqa: PLC0415  # the same

    if loop and once:
        raise UsageError("--loop never ends, so --once cannot; choose one of them.")
    host, port = _parse_ble(ble)
    trace, air = _to_play(what, seed)
    given = {
        "interval_s": None if interval_ms is None else interval_ms / 1000.0,
        "clock_us": clock_us,
        "drift_ppm": drift_ppm,
        "loss": loss,
        "duplicates": duplicates,
        "freeze_at_s": freeze_at,
        "freeze_s": freeze_for,
        "reboot_at_s": reboot_at,
    }
    wanted = replays.Replay(
        trace=trace,
        identities=replays.identities(name, address, serial, count),
        config=Config(rate_hz=rate, max_samples=packet_samples),
        radius_m=None if radius_mm is None else radius_mm / 1000.0,
        air=replace(air, **{name: value for name, value in given.items() if value is not None}),
        seed=seed,
        speed=speed,
        at_end="repeat" if loop else "stop" if once else "stay",
        wait=wait_for_subscriber,
        battery_percent=battery,
    )
    asyncio.run(replays.serve(wanted, host, port, lambda where: _say(f"ready {where}")))


def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    if not debug:  # bumble reports every lost packet of a lost link
        logging.getLogger("bumble").setLevel(logging.CRITICAL)
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


def _to_play(what: str, seed: int) -> tuple[Trace, Air]:
    """A trace on perfect air, or a scenario played on its own."""
    from firmware_sim.air import Air  # noqa: PLC0415  # keeps --help quick
    from firmware_sim.scenario import load_scenario  # noqa: PLC0415  # the same
    from firmware_sim.session import generate as play  # noqa: PLC0415  # the same
    from firmware_sim.trace import read_trace  # noqa: PLC0415  # the same

    if what.endswith((".csv", ".csv.gz")):
        return read_trace(Path(what)), Air()
    scenario = load_scenario(what)
    return play(scenario, seed), scenario.air


def _check_moment(text: str) -> None:
    try:
        known = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise UsageError(
            f"--started-at {text!r}: write date, time and Z or an offset, as 2026-11-23T10:13:20Z."
        )


def _strokes_beside(trace: Path) -> Path:
    name = trace.name.removesuffix(".gz").removesuffix(".csv")
    return trace.with_name(f"{name}.strokes.csv")


def _say(line: str) -> None:
    """Print at once, also into a pipe: another program waits for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parse_ble(text: str) -> tuple[str, int]:
    kind, _, address = text.partition(":")
    host, _, port = address.rpartition(":")
    if kind != "tcp" or not host or not port.isdecimal() or int(port) >= 2**16:
        raise UsageError(f"--ble {text!r}: write tcp:HOST:PORT, such as tcp:127.0.0.1:6402.")
    return host, int(port)


def _explain(error: Exception) -> tuple[str, int]:
    """What to print, and the exit code."""
    while isinstance(error, ExceptionGroup):  # of the rollers' tasks; the first fault ended all
        error = error.exceptions[0]
    if isinstance(error, SimError):
        text, exit_code = str(error), error.exit_code
    elif isinstance(error, typer.TyperException):
        text, exit_code = error.format_message(), error.exit_code
    elif isinstance(error, ModuleNotFoundError) and error.name == "bumble":
        text = "virtual Bluetooth needs bumble. Install it with: pip install 'rolltrack[sim]'"
        exit_code = 1
    else:
        text = f"unexpected {type(error).__name__}: {error} (run again with --debug for details)"
        exit_code = 1
    return f"rolltrack-sim: {' '.join(text.split())}\n", exit_code
