"""Opens a database: private, durable, ours; and says in plain words what is wrong with it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from rolltrack.errors import StoreAwayError, StoreError, UsageError
from rolltrack.store.location import POSTGRESQL
from rolltrack.store.migrate import bring_up_to_date

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Table

    from rolltrack.store.location import Location

BUSY_S = 5  # how long one program waits for another's lock
LOOK_AGAIN_S = 0.01

WRITE_AHEAD = "PRAGMA journal_mode = WAL"  # readers do not stop the writer
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_S * 1000}",
    "PRAGMA synchronous = FULL",  # a stored session survives a power cut
    "PRAGMA foreign_keys = ON",
)

# To libpq: notice within seconds that the server's machine is gone, and speak UTF-8 whatever it is.
SERVER_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "client_encoding": "UTF8",
    "application_name": "rolltrack",
}

# What a database says -> what it means to the user, and what to do; {setting} names another one.
CAUSES = (
    ("disk is full", "the disk is full.", "Free some space on it."),
    ("No space left on device", "the server's disk is full.", "Free some space on it."),
    ("database is locked", "another program holds it.", "End that program."),
    ("table is locked", "another program holds it.", "End that program."),
    ("readonly", "it is read-only.", "Make it writable, or set {setting} to another file."),
    ("unable to open", "it cannot be opened.", "Check its folder, or set {setting}."),
    (
        "not a database",
        "it is not a database.",
        "Move it away, or set {setting} to another file.",
    ),
    ("malformed", "it is damaged.", "Restore a backup, or move it away to start a new one."),
    ("certificate", "the server cannot be trusted.", "Check sslrootcert and sslmode in {setting}."),
    ("SSL", "the server does not encrypt as asked.", "Correct it, or sslmode in {setting}."),
    ("password", "the server does not accept the login.", "Check user and password of {setting}."),
    ("no pg_hba.conf entry", "the server lets nobody in from here.", "Correct its pg_hba.conf."),
    ("permission denied", "the user lacks the rights.", "Let it own the database."),
    ("does not exist", "there is no such user or database.", "Create it, or correct {setting}."),
    ("could not translate host", "the server's name is unknown.", "Correct {setting}."),
    ("failed to resolve host", "the server's name is unknown.", "Correct {setting}."),
)

# The same for a server that may come back by itself.
AWAY = (
    ("connection to server", "the server cannot be reached.", "Start it, or correct {setting}."),
    ("timeout expired", "the server does not answer.", "Start it, or correct {setting}."),
    ("connection", "the server broke off.", "See its log if that happens again."),
)


def open_database(location: Location) -> Engine:
    """Open a database, bring its tables up to date, and make what there is not.

    Raises:
        StoreError: it cannot be made or reached, is damaged, another program's, or a newer
            rolltrack's.
        UsageError: it needs a driver that is not installed.
    """
    engine = _server(location) if location.file is None else _file(location, location.file)
    try:
        with explained(location):
            bring_up_to_date(engine, location)
    except StoreError:
        engine.dispose()
        raise
    return engine


@contextlib.contextmanager
def explained(location: Location) -> Iterator[None]:
    """Turn the database's complaints into StoreError, with the remedy."""
    try:
        yield
    except DBAPIError as error:
        said = " ".join(str(error.orig).split("\n", 1)[0].split())
        for kind, causes in ((StoreError, CAUSES), (StoreAwayError, AWAY)):
            for sign, meaning, remedy in causes:
                if sign in said:
                    hint = remedy.format(setting=location.setting)
                    raise kind(f"{location}: {meaning}", hint=hint) from error
        raise StoreError(f"{location}: {said.rstrip('.')}.") from error


def insert_once(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that leaves alone what is there under the same key."""
    if connection.dialect.name == POSTGRESQL:
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _file(location: Location, path: Path) -> Engine:
    _make_private(location, path)
    engine = create_engine(location.url)
    event.listen(engine, "connect", _prepare)
    return engine


def _server(location: Location) -> Engine:
    options = {k: v for k, v in SERVER_OPTIONS.items() if k not in location.url.query}
    try:
        return create_engine(location.url, pool_pre_ping=True, connect_args=options)
    except ImportError as error:
        raise UsageError(
            f"{location}: the driver for PostgreSQL is not installed.",
            hint="pip install 'rolltrack[postgres]'",
        ) from error


def _make_private(location: Location, path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Only a new file is opened: closing any file ends all locks this process has on it.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"{location} cannot be used: {error.strerror}.",
            hint=f"Correct the permissions, or set {location.setting} to another file.",
        ) from error


def _prepare(connection: Any, _record: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma)
    _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Change the file's mode; for that, SQLite waits for no other program by itself."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute(WRITE_AHEAD)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(LOOK_AGAIN_S)
        else:
            return
