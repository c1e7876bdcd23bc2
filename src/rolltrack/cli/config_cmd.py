"""`rolltrack config`: what the configuration comes to."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import Annotated

import typer

from rolltrack.cli.output import print_json
from rolltrack.config import config_to_toml, find_config, load_config

app = typer.Typer(no_args_is_help=True)


@app.callback()
def config() -> None:
    """Show the configuration in effect."""


@app.command()
def show(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Configuration file; else ./rolltrack.toml or the user's."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print the effective configuration, defaults included, as a file that can be read back."""
    effective = load_config(config)
    if as_json:
        print_json(effective)
        return
    source = find_config(config)
    typer.echo(f"# read from {source}" if source else "# no configuration file: the defaults")
    typer.echo(config_to_toml(effective), nl=False)
