"""`rolltrack mqtt`: the documents of the topics, and looks at a broker."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from rolltrack.cli.logs import setup_logging
from rolltrack.cli.mqtt_check import check_broker
from rolltrack.cli.mqtt_watch import watch_broker
from rolltrack.cli.output import note, print_json, stdout
from rolltrack.config import load_config
from rolltrack.errors import UsageError
from rolltrack.mqtt import Peer, peer_of
from rolltrack.sinks.live_texts import Lang, language_of
from rolltrack.wire.documents import documents

app = typer.Typer(no_args_is_help=True)

ConfigFile = Annotated[
    Path | None, typer.Option(help="Configuration file; else ./rolltrack.toml or the user's.")
]
Broker = Annotated[str | None, typer.Option(help="HOST:PORT; else mqtt.broker.")]
Site = Annotated[str | None, typer.Option(help="Only this site; else every site.")]


@app.command()
def docs(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("docs/mqtt"),
) -> None:
    """Write JSON Schemas of all payloads and the AsyncAPI document of all topics."""
    for name, text in documents().items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    note(f"wrote {len(documents())} documents into {out}")


@app.command()
def check(
    *,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long to listen.")] = 5.0,
    broker: Broker = None,
    site: Site = None,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Hold everything a broker carries under rolltrack/ against topics and schemas.

    Exit code 1 if anything does not fit.
    """
    setup_logging(level=logging.WARNING)
    report = asyncio.run(check_broker(_peer(config, broker), site, seconds))
    if as_json:
        print_json(report)
    else:
        console = stdout()
        for violation in report.violations:
            console.print(f"{violation.topic}: {violation.what}", markup=False, soft_wrap=True)
        fit = report.messages - len(report.violations)
        console.print(f"{fit} of {report.messages} messages are as documented.", markup=False)
    if report.violations:
        raise typer.Exit(1)


@app.command()
def watch(
    *,
    seconds: Annotated[float | None, typer.Option(min=0.5, help="End after so long.")] = None,
    broker: Broker = None,
    site: Site = None,
    config: ConfigFile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document per message and line.")
    ] = False,
    lang: Annotated[Lang | None, typer.Option(help="Language. [default: what $LANG says]")] = None,
) -> None:
    """Show what a broker tells: all rollers, and the latest strokes, alerts and sessions."""
    setup_logging(level=logging.WARNING)
    peer = _peer(config, broker)
    chosen = lang or language_of(os.environ)
    asyncio.run(watch_broker(peer, site, seconds=seconds, as_json=as_json, lang=chosen))


def _peer(config: Path | None, broker: str | None) -> Peer:
    mqtt = load_config(config).mqtt
    if broker is not None:
        mqtt = msgspec.structs.replace(mqtt, broker=broker)
    if mqtt.broker == "embedded":
        raise UsageError(
            "which broker?", hint="Give --broker HOST:PORT, as `rolltrack run` prints it."
        )
    return peer_of(mqtt)
