"""`rolltrack archive`: the sessions of a whole site, collected and read."""

from __future__ import annotations

import asyncio
import contextlib
import os
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from rolltrack.archive import ArchiveStore, Collector, client_id_of, default_name, open_patiently
from rolltrack.archive.export import Format  # noqa: TC001  # typer reads annotations at run time
from rolltrack.archive.reading import doses, newest_sessions, refused_messages
from rolltrack.cli.archive_export import export_sessions
from rolltrack.cli.archive_tables import athletes_table, dose_document, refused_table
from rolltrack.cli.logs import LogFormat, setup_logging
from rolltrack.cli.output import note, print_json, stdout
from rolltrack.cli.signals import stopped_by_signals
from rolltrack.cli.table_texts import TABLE_TEXTS
from rolltrack.cli.tables import sessions_table
from rolltrack.config import broker_address, load_config
from rolltrack.config.secret_file import read_secret
from rolltrack.errors import UsageError
from rolltrack.mqtt import MqttLink, peer_of
from rolltrack.sinks.live_texts import Lang, language_of
from rolltrack.store.location import Location, location_of
from rolltrack.wire import check_id, session_payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.config import Config

app = typer.Typer()
replace = msgspec.structs.replace

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Configuration file; else the usual ones.")
]
Database = Annotated[
    str | None,
    typer.Option(help="SQLite file or postgresql://USER@HOST/DATABASE, without a password."),
]
Athlete = Annotated[str | None, typer.Option(help="Only this athlete's.")]
Since = Annotated[
    str | None, typer.Option(help="Only what started since then, like 2026-11-23 or 7d.")
]
Language = Annotated[
    Lang | None, typer.Option("--lang", help="Language. [default: what $LANG says]")
]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.callback(invoke_without_command=True)
def archive(ctx: typer.Context) -> None:
    """For coaches: collect the sessions of a whole site, and read them.

    Without a further word it collects, as `rolltrack archive run` does.
    """
    if ctx.invoked_subcommand is None:
        run()


@app.command()
def run(
    *,
    config: ConfigFile = None,
    database: Database = None,
    mqtt: Annotated[str | None, typer.Option(help="The broker: HOST:PORT.")] = None,
    site: Annotated[str | None, typer.Option(help="Whose sessions.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Of this archive; another one beside it needs another.")
    ] = None,
    log: Annotated[LogFormat, typer.Option(help="Log lines for people or machines.")] = "text",
) -> None:
    """Collect every session of the site until Ctrl-C."""
    setup_logging(log)
    effective = load_config(config)
    if mqtt is not None:
        broker_address(mqtt, where="--mqtt")
        effective = replace(effective, mqtt=replace(effective.mqtt, broker=mqtt))
    if effective.mqtt.broker == "embedded":
        raise UsageError(
            "An archive needs the broker that the services of the site publish to.",
            hint="Set mqtt.broker, or give --mqtt HOST:PORT.",
        )
    chosen = check_id(site or effective.archive.site or effective.site, "site")
    location = _location(effective, database)
    asyncio.run(_collect(effective, location, chosen, name or effective.archive.name))


@app.command("sessions")
def list_sessions(
    *,
    athlete: Athlete = None,
    since: Since = None,
    limit: Limit = 20,
    lang: Language = None,
    config: ConfigFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the newest sessions."""
    since_unix_s, chosen = _moment(since), lang or language_of(os.environ)
    with _opened(config, database) as store:
        found = newest_sessions(store, limit, athlete=athlete, since_unix_s=since_unix_s)
        if as_json:
            print_json({"v": 1, "sessions": [session_payload(summary) for summary in found]})
        elif found:
            stdout().print(sessions_table(found, chosen))
        else:
            note(TABLE_TEXTS[chosen].no_such_sessions.format(store.location.name), chosen)


@app.command()
def athletes(
    *,
    since: Annotated[
        str | None, typer.Option(help="Count from then on, like 2026-11-23 or 7d; else Monday.")
    ] = None,
    lang: Language = None,
    config: ConfigFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Who rolled how much this week, and how often too fast."""
    since_unix_s, chosen = _moment(since) or _monday_unix_s(), lang or language_of(os.environ)
    with _opened(config, database) as store:
        found = doses(store, since_unix_s=since_unix_s)
        if as_json:
            print_json(dose_document(found, since_unix_s))
        elif found:
            stdout().print(athletes_table(found, since_unix_s, chosen))
        else:
            note(TABLE_TEXTS[chosen].no_sessions.format(store.location.name), chosen)


@app.command()
def export(
    *,
    form: Annotated[
        Format, typer.Option("--format", help="csv, json, or one document per line: ndjson.")
    ] = "csv",
    athlete: Athlete = None,
    since: Since = None,
    out: Annotated[Path | None, typer.Option(help="File to write; else standard output.")] = None,
    config: ConfigFile = None,
    database: Database = None,
) -> None:
    """Write sessions for a spreadsheet or another program."""
    since_unix_s = _moment(since)
    with _opened(config, database) as store:
        export_sessions(store, form, out, athlete=athlete, since_unix_s=since_unix_s)


@app.command()
def refused(
    *,
    limit: Limit = 20,
    config: ConfigFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show messages that were no session summaries, and why."""
    with _opened(config, database) as store:
        found = refused_messages(store, limit)
        if as_json:
            print_json({"v": 1, "refused": found})
        elif found:
            stdout().print(refused_table(found))
        else:
            note(f"nothing was refused in {store.location.name}")


async def _collect(config: Config, location: Location, site: str, name: str | None) -> None:
    stop = asyncio.Event()
    name = name or default_name(location)
    peer = peer_of(config.mqtt)
    link = MqttLink(peer, client_id=client_id_of(site, name), persistent=True, manual_ack=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(stopped_by_signals(stop))
        store = await open_patiently(location, stop)
        if store is None:
            return
        stack.callback(store.close)
        collector = Collector(link, store, site=site, name=name)
        if peer.login and peer.login.password and not (peer.is_loopback or peer.tls):
            note(f"the MQTT password goes to {peer.host} unencrypted")
        note(f'"{name}" collects the sessions of {site} at {peer} into {location.name}')
        await collector.run(stop)
    stored, known, refused = (collector.counts[each] for each in ("stored", "known", "refused"))
    note(f"{stored} sessions stored, {known} repetitions, {refused} messages refused")


def _location(config: Config, database: str | None) -> Location:
    location = location_of(
        database or config.archive.database, what="Archive", setting="archive.database"
    )
    file = config.archive.database_password_file
    if file is None or location.file is not None:
        return location
    return location.with_password(read_secret(file, "archive.database_password_file"))


@contextmanager
def _opened(config: Path | None, database: str | None) -> Iterator[ArchiveStore]:
    """To read; a file that is not there is not made."""
    location = _location(load_config(config), database)
    if location.file is not None and not location.file.exists():
        raise UsageError(
            f"There is no archive at {location.name} yet.",
            hint="`rolltrack archive run` makes it; `--database` names another one.",
        )
    store = ArchiveStore(location)
    try:
        yield store
    finally:
        store.close()


def _moment(text: str | None) -> float | None:
    """`2026-11-23`, with a time if wanted, in local time if it has no offset; or `7d` ago."""
    if text is None:
        return None
    now = datetime.now().astimezone()
    try:
        if text.endswith("d"):
            return (now - timedelta(days=float(text[:-1]))).timestamp()
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.astimezone()).timestamp()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f'--since: "{text}" is no date.', hint="Write it like 2026-11-23, or 7d for a week."
        ) from error


def _monday_unix_s() -> float:
    """When this week began, here."""
    today = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    monday = (today - timedelta(days=today.weekday())).replace(tzinfo=None)
    return monday.astimezone().timestamp()  # the clocks may have been changed since
