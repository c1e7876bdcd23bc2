"""`rolltrack scan`: list the rollers in range."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from rolltrack.cli import output
from rolltrack.errors import SensorNotFoundError
from rolltrack.sources.ble_scan import RollerInRange, scan

app = typer.Typer()


@app.command()
def scan_command(
    *,
    ble: Annotated[
        str, typer.Option(help='Bluetooth link: "os", "tcp:HOST:PORT", "usb:0", "serial:DEVICE".')
    ] = "os",
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to listen.")] = 5.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the rollers in range: name, address, serial number and signal strength."""
    with output.stderr().status(f"listening for {seconds:g} s"):
        rollers = asyncio.run(scan(ble, seconds))
    if json:
        output.print_json({"v": 1, "rollers": [msgspec.to_builtins(each) for each in rollers]})
    elif rollers:
        output.stdout().print(_table(rollers))
    if not rollers:
        raise SensorNotFoundError(
            f"No roller seen within {seconds:g} s.",
            hint="Switch it on, bring it close, and disconnect it from other programs",
        )


def _table(rollers: list[RollerInRange]) -> Table:
    table = Table("name", "address", "serial number", "signal")
    for roller in rollers:
        table.add_row(
            roller.name or output.UNKNOWN,
            roller.address,
            roller.serial or output.UNKNOWN,
            f"{roller.signal_dbm} dBm",
        )
    return table
