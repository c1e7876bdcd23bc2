"""`rolltrack forget`: what is still told about a roller that is gone, or kept of a person."""

from __future__ import annotations

import asyncio
import logging
import secrets
from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import Annotated

import msgspec
import typer

from rolltrack.cli.forget_person import forget_person
from rolltrack.cli.logs import setup_logging
from rolltrack.cli.output import note, print_json, stdout
from rolltrack.config import load_config
from rolltrack.errors import UsageError
from rolltrack.mqtt import MqttLink, peer_of
from rolltrack.sinks.mqtt_forget import forget_roller

app = typer.Typer()


@app.command()
def forget(
    roller: Annotated[
        str | None, typer.Argument(help="Id of the roller, for example rt-3f2a.")
    ] = None,
    *,
    athlete: Annotated[
        str | None, typer.Option(help="Instead: erase everything of this person.")
    ] = None,
    archive: Annotated[
        str | None, typer.Option(help="With --athlete: in this archive too (file or URL).")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="With --athlete: another session store.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --athlete: do not ask.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file; else ./rolltrack.toml or the user's.")
    ] = None,
    mqtt: Annotated[str | None, typer.Option(help="Another broker: HOST:PORT.")] = None,
    site: Annotated[str | None, typer.Option(help="Id of the installation in topics.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Clear what the broker still tells about a roller, and take it out of Home Assistant.

    Sessions stay, in the store and wherever they were delivered. With --athlete they go too: from
    the session store, from the archive that is named, and from the broker.
    """
    setup_logging(level=logging.WARNING)
    effective = load_config(config)
    place = site or effective.site
    broker = effective.mqtt
    if mqtt is not None:
        broker = msgspec.structs.replace(broker, broker=mqtt)
    if (roller is None) == (athlete is None):
        raise UsageError(
            "Whom or what to forget?", hint="Give the id of a roller, or --athlete ID."
        )
    if athlete is not None:
        effective = msgspec.structs.replace(effective, site=place, mqtt=broker)
        forget_person(effective, athlete, archive=archive, store=store, yes=yes, as_json=as_json)
        return
    assert roller is not None  # noqa: S101 - one of them is given
    if broker.broker == "embedded":
        raise UsageError(
            "the embedded broker keeps nothing once the service has ended.",
            hint="Name another one with --mqtt HOST:PORT.",
        )
    peer = peer_of(broker)
    link = MqttLink(peer, client_id=f"rolltrack-forget-{secrets.token_hex(4)}")
    found = asyncio.run(forget_roller(link, place, roller, broker.discovery_prefix))
    if found.service_online:
        note(
            "A service of this site is running: it tells of the roller again when the roller, the"
            " broker or Home Assistant comes back. Stop it first to be rid of the roller for good."
        )
    if as_json:
        print_json({"v": 1, "roller": roller, "site": place, "cleared": sorted(found.topics)})
        return
    if not found.topics:
        stdout().print(f'The broker at {peer} tells nothing about a roller "{roller}".')
    for topic in sorted(found.topics):
        stdout().print(f"cleared {topic}", markup=False, soft_wrap=True)
