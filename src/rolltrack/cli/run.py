"""`rolltrack run`: the service, from the configuration and what the command line overrides."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from rolltrack.broker import embedded_broker
from rolltrack.broker.trust import check_trust
from rolltrack.cli import output
from rolltrack.cli.logs import LogFormat, setup_logging
from rolltrack.cli.signals import stopped_by_signals
from rolltrack.cli.timing_texts import warn_of_times
from rolltrack.config import ID_PATTERN, Config, broker_address, load_config
from rolltrack.config.exposed import exposed_secrets
from rolltrack.core.motion.radius import LEAST_RADIUS_M, MOST_RADIUS_M
from rolltrack.errors import UsageError
from rolltrack.mqtt import peer_of
from rolltrack.protocols import load_protocol
from rolltrack.service import Journalist, Room, recover, run_service, wanted_sensor
from rolltrack.sinks.home_assistant import HomeAssistantSink
from rolltrack.sinks.live import LiveView
from rolltrack.sinks.live_texts import language_of
from rolltrack.sinks.mqtt import MqttSink, link_of_site
from rolltrack.sinks.sessions import SessionSink
from rolltrack.sinks.trace import TraceSink
from rolltrack.sources.ble import BleSource
from rolltrack.sources.mqtt_imu import MqttImuSource
from rolltrack.sources.mqtt_orders import MqttOrders
from rolltrack.sources.phone import PhoneSource
from rolltrack.sources.replay import ReplaySource
from rolltrack.store import SessionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from rolltrack.mqtt import MqttLink, Peer
    from rolltrack.sinks.sink import Gauges, Sink
    from rolltrack.sources.source import Source

app = typer.Typer()
_log = logging.getLogger(__name__)

replace = msgspec.structs.replace


@app.command()
def run(
    *,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file; else ./rolltrack.toml or the user's.")
    ] = None,
    ble: Annotated[
        str | None, typer.Option(help='Bluetooth link: "os", "tcp:HOST:PORT", "usb:0", …')
    ] = None,
    no_ble: Annotated[bool, typer.Option("--no-ble", help="Do not use Bluetooth.")] = False,
    replay: Annotated[
        Path | None, typer.Option(help="Play this trace instead of listening to sensors.")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="With --replay: times real time; 0 does not wait at all.")
    ] = 1.0,
    phone: Annotated[bool, typer.Option("--phone", help="Listen for phones too.")] = False,
    mqtt: Annotated[
        str | None, typer.Option(help='Where to publish: HOST:PORT, "embedded" or "off".')
    ] = None,
    store: Annotated[Path | None, typer.Option(help="SQLite file for sessions.")] = None,
    record: Annotated[Path | None, typer.Option(help="Folder for raw recordings.")] = None,
    radius_mm: Annotated[
        float | None,
        typer.Option(
            min=1000 * LEAST_RADIUS_M,
            max=1000 * MOST_RADIUS_M,
            help="Rolling radius of every roller.",
        ),
    ] = None,
    site: Annotated[str | None, typer.Option(help="Id of this installation in topics.")] = None,
    athlete: Annotated[str | None, typer.Option(help="Who uses every roller.")] = None,
    protocol: Annotated[
        str | None, typer.Option(help="Rolling protocol of every roller: id or file.")
    ] = None,
    log: Annotated[LogFormat, typer.Option(help="Log lines for people or machines.")] = "text",
    view: Annotated[
        bool | None,
        typer.Option("--view/--no-view", help="Live view; by default on a terminal."),
    ] = None,
) -> None:
    """Coach live: listen to rollers and phones, publish and store, until Ctrl-C."""
    setup_logging(log)
    if ble is not None and no_ble:
        raise UsageError("--ble and --no-ble contradict each other.", hint="Give one of them.")
    effective = load_config(config)
    effective = _choose_sources(effective, ble=ble, no_ble=no_ble, phone=phone, replay=replay)
    effective = _choose_sinks(effective, mqtt=mqtt, store=store, record=record)
    effective = _choose_identity(effective, site=site, athlete=athlete, protocol=protocol)
    if replay is not None:
        warn_of_times(replay)
    sources = _sources(effective, replay, speed)
    if not sources and not (effective.mqtt.enabled and effective.mqtt.imu):
        raise UsageError("there is nothing to listen to.", hint="Allow Bluetooth, or give --phone.")
    show = sys.stdout.isatty() if view is None else view
    radius_m = None if radius_mm is None else radius_mm / 1000
    for (setting, path), advice in exposed_secrets(effective):
        _log.warning("Others can read %s %s. What to do: %s", setting, path, advice)
    asyncio.run(serve(effective, sources, show=show, radius_m=radius_m))


def _choose_sources(
    config: Config, *, ble: str | None, no_ble: bool, phone: bool, replay: Path | None
) -> Config:
    """A replay is all there is to listen to, unless the command line also asks for the others."""
    listen = replay is None
    enabled = ble is not None or (listen and config.ble.enabled and not no_ble)
    return replace(
        config,
        ble=replace(config.ble, enabled=enabled, link=ble or config.ble.link),
        phone=replace(config.phone, enabled=phone or (listen and config.phone.enabled)),
    )


def _choose_sinks(
    config: Config, *, mqtt: str | None, store: Path | None, record: Path | None
) -> Config:
    if mqtt is not None:
        publish = mqtt != "off"
        broker = mqtt if publish else config.mqtt.broker
        if broker != "embedded":
            broker_address(broker, where="--mqtt")
        config = replace(config, mqtt=replace(config.mqtt, enabled=publish, broker=broker))
    if store is not None:
        config = replace(config, store=replace(config.store, path=str(store)))
    if record is not None:
        config = replace(config, record=replace(config.record, folder=str(record)))
    return config


def _choose_identity(
    config: Config, *, site: str | None, athlete: str | None, protocol: str | None
) -> Config:
    for option, value in (("--site", site), ("--athlete", athlete)):
        if value is not None and not re.fullmatch(ID_PATTERN, value):
            raise UsageError(
                f'{option}: "{value}" is not an id.',
                hint="Use 1 to 32 of a-z, 0-9 and -, with no - at the start.",
            )
    chosen: dict[str, Any] = {"athlete": athlete, "protocol": protocol}
    chosen = {key: value for key, value in chosen.items() if value is not None}
    rollers = tuple(replace(each, **chosen) for each in config.rollers)
    return replace(config, site=site or config.site, rollers=rollers, **chosen)


def _sources(config: Config, replay: Path | None, speed: float) -> list[Source]:
    sources: list[Source] = []
    if config.ble.enabled:
        sources.append(BleSource(config.ble, wanted_sensor(config)))
    if config.phone.enabled:
        sources.append(PhoneSource(config.phone))
    if replay is not None:
        sources.append(ReplaySource(replay, speed or None))
    return sources


async def serve(
    config: Config,
    sources: list[Source],
    *,
    show: bool,
    radius_m: float | None,
    more: Sequence[Sink] = (),
) -> None:
    """Run the service as configured, until SIGINT or SIGTERM, or until the sources have ended.

    Args:
        config: everything but the sources.
        sources: where readings come from.
        show: with the live view.
        radius_m: rolling radius for all rollers; None leaves it to entries and sensors.
        more: sinks beside those that the configuration names.
    """
    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(stopped_by_signals(stop, _say_finishing))
        store = SessionStore(Path(config.store.path), delivers=config.mqtt.enabled)
        stack.callback(store.close)
        output.note(f"sessions are stored in {config.store.path}")
        journals = store.path.with_name(f"{store.path.name}.journals")
        await asyncio.to_thread(_recover, journals, store)
        room = Room()
        told: list[Callable[[str], None]] = []
        journalist = Journalist(journals, room)
        told.append(journalist.stored)
        keeper = SessionSink(
            store,
            stored=lambda session_id: _tell_all(told, session_id),
            room=lambda ok: room.report("store", room=ok),
        )
        sinks: list[Sink] = [keeper, *more]
        gauges: Gauges = {}
        if config.record.folder is not None:
            sinks.append(TraceSink(config.record.folder))
            output.note(f"raw readings are recorded in {config.record.folder}")
        orders: MqttOrders | None = None
        if config.mqtt.enabled:
            link = await stack.enter_async_context(_broker_link(config))
            publisher = MqttSink(
                link, config.site, gauges, sessions=store, receipts=config.mqtt.receipts
            )
            told.append(publisher.stored)
            sinks.append(publisher)
            if config.mqtt.imu:
                sources = [*sources, MqttImuSource(link, config.site)]
            if config.mqtt.home_assistant:
                sinks.append(HomeAssistantSink(link, config.site, config.mqtt.discovery_prefix))
            orders = MqttOrders(link, config.site, closed=(f"{config.mqtt.discovery_prefix}/",))
        if show:
            target_max_mps = load_protocol(config.protocol).target_max_mps
            sinks.append(
                LiveView(
                    output.stdout(), lang=language_of(os.environ), target_max_mps=target_max_mps
                )
            )
        await run_service(
            config,
            sources=sources,
            sinks=sinks,
            stop=stop,
            radius_m=radius_m,
            gauges=gauges,
            orders=orders,
            room=room,
            journalist=journalist,
        )


def _tell_all(listeners: Sequence[Callable[[str], None]], session_id: str) -> None:
    for tell in listeners:
        tell(session_id)


def _recover(journals: Path, store: SessionStore) -> None:
    for summary in recover(journals, store):
        output.note(
            f"recovered a session of {summary.roller} that had been cut off:"
            f" {summary.strokes} strokes"
        )


@contextlib.asynccontextmanager
async def _broker_link(config: Config) -> AsyncIterator[MqttLink]:
    """A link to the broker, and the broker if it is ours to run."""
    if config.mqtt.broker == "embedded":
        async with embedded_broker() as broker:
            check_trust(broker.kind, config)
            yield _link_to(broker.peer, config.site, f"{broker.kind}, on this machine")
    else:
        yield _link_to(peer_of(config.mqtt), config.site, "your broker")


def _link_to(peer: Peer, site: str, whose: str) -> MqttLink:
    output.note(f"publishing to {peer} ({whose}{', encrypted' if peer.tls else ''})")
    if not (peer.tls or peer.login):  # who locks the broker knows the key
        topics = f"rolltrack/v1/{site}/#"
        output.note(f"to watch: mosquitto_sub -h {peer.host} -p {peer.port} -v -t '{topics}'")
    return link_of_site(peer, site)


def _say_finishing() -> None:
    output.note("finishing; a second Ctrl-C ends at once")
