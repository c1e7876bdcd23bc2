"""`rolltrack forget --athlete`: erases a person, here, in an archive and at the broker."""

from __future__ import annotations

import asyncio
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rolltrack.cli.output import note, print_json, stdout
from rolltrack.config.secret_file import read_secret
from rolltrack.errors import BrokerError, UsageError
from rolltrack.mqtt import MqttLink, peer_of
from rolltrack.sinks.mqtt_forget import forget_athlete
from rolltrack.store.forget import erase, erase_journals, traces_of
from rolltrack.store.location import file_location, location_of
from rolltrack.wire import check_id

if TYPE_CHECKING:
    from rolltrack.config import Config
    from rolltrack.store.location import Location


def forget_person(
    config: Config,
    athlete: str,
    *,
    archive: str | None,
    store: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Ask, erase, and say what was erased and what is left for people to erase.

    Raises:
        UsageError: the id is none, or nobody is there to confirm.
        StoreError: a database cannot be changed; those before it are done.
        BrokerError: the broker cannot be reached; the databases are done.
    """
    check_id(athlete, "athlete")
    where = _locations(config, archive, store)
    kept = {each.name: traces_of(each, athlete) for each in where}
    if not yes:
        _confirm(athlete, {name: found.rows for name, found in kept.items()})
    erased = {each.name: erase(each, athlete).rows for each in where}
    file = (store or Path(config.store.path)).expanduser()
    journals = file.with_name(f"{file.name}.journals")  # as `rolltrack run` names it
    if count := erase_journals(journals, athlete):
        erased[str(journals)] = {"journals": count}
    rollers = {roller for found in kept.values() for roller in found.rollers}
    recordings = _recordings(config, rollers)
    cleared, stubborn, online = _clear_broker(config, athlete)
    if online:
        note("the service is running: stop it before it tells of this person again")
    if as_json:
        print_json(
            {
                "v": 1,
                "athlete": athlete,
                "erased": erased,
                "cleared": cleared,
                "not_cleared": stubborn,
                "recordings": recordings,
            }
        )
        return
    for line in _told(athlete, erased, cleared, stubborn, recordings):
        stdout().print(line, markup=False, soft_wrap=True)


def _locations(config: Config, archive: str | None, store: Path | None) -> list[Location]:
    """Databases that exist; nothing is made to be emptied."""
    found = [file_location(store or Path(config.store.path))]
    if archive is not None:
        location = location_of(archive, what="Archive", setting="archive.database")
        if location.file is not None and not location.file.exists():
            raise UsageError(f"There is no archive at {location.name}.", hint="Correct --archive.")
        password_file = config.archive.database_password_file
        if password_file is not None and location.file is None:
            secret = read_secret(password_file, "archive.database_password_file")
            location = location.with_password(secret)
        found.append(location)
    return [each for each in found if each.file is None or each.file.exists()]


def _confirm(athlete: str, kept: dict[str, dict[str, int]]) -> None:
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to confirm that.", hint="Give --yes if it is meant.")
    for name, rows in kept.items():
        typer.echo(f"{name}: {_counted(rows)} of {athlete}", err=True)
    typer.confirm(f"Erase {athlete} for good, there and at the broker?", abort=True, err=True)


def _recordings(config: Config, rollers: set[str]) -> list[str]:
    """Files of rollers this person used; whose readings are in them, only people can tell."""
    if config.record.folder is None:
        return []
    folder = Path(config.record.folder).expanduser()
    files = (file for roller in rollers for file in folder.glob(f"{roller}-*.csv*"))
    return sorted(str(file) for file in files)


def _clear_broker(config: Config, athlete: str) -> tuple[list[str], list[str], bool]:
    """Topics cleared, topics the broker does not let us clear, and whether a service runs."""
    if not config.mqtt.enabled or config.mqtt.broker == "embedded":
        return [], [], False  # the embedded broker keeps nothing once the service has ended
    peer = peer_of(config.mqtt)
    place = (config.site, athlete, config.mqtt.discovery_prefix)

    async def clear() -> tuple[set[str], set[str], bool]:
        found = await forget_athlete(_link(), *place)
        left = await forget_athlete(_link(), *place) if found.topics else found
        return found.topics - left.topics, left.topics, found.service_online

    def _link() -> MqttLink:
        return MqttLink(peer, client_id=f"rolltrack-forget-{secrets.token_hex(4)}")

    try:
        cleared, left, online = asyncio.run(clear())
    except BrokerError as error:
        raise BrokerError(f"The databases are done. {error.what}", hint=error.hint) from error
    return sorted(cleared), sorted(left), online


def _told(
    athlete: str,
    erased: dict[str, dict[str, int]],
    cleared: list[str],
    stubborn: list[str],
    recordings: list[str],
) -> list[str]:
    lines = [
        f"erased from {name}: "
        + (", ".join(f"{n} {table}" for table, n in rows.items()) or "nothing")
        for name, rows in erased.items()
    ]
    lines += [f"cleared {topic}" for topic in cleared]
    lines += [f"not cleared, the broker does not allow it: {topic}" for topic in stubborn]
    lines += [f"look into it yourself: {file}" for file in recordings]
    return lines or [f'Nothing is kept of "{athlete}".']


def _counted(rows: dict[str, int]) -> str:
    return ", ".join(f"{count} {table}" for table, count in rows.items()) or "nothing"
