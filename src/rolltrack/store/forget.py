"""Erases a person from a database, so that the bytes are gone from the file as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, or_, select

from rolltrack.errors import StoreError
from rolltrack.store import schema
from rolltrack.store.database import explained, open_database
from rolltrack.store.journal import left_journals

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, Engine, Table

    from rolltrack.store.location import Location


class Traces(NamedTuple):
    """What a database holds of a person.

    Attributes:
        rows: table -> number of rows; only where there are any.
        rollers: who used them can tell whose recordings are whose.
    """

    rows: dict[str, int]
    rollers: frozenset[str]


def traces_of(location: Location, athlete: str) -> Traces:
    """Look, and change nothing."""
    engine = open_database(location)
    try:
        with explained(location), engine.connect() as connection:
            return _traces(connection, athlete)
    finally:
        engine.dispose()


def erase(location: Location, athlete: str) -> Traces:
    """Delete it all in one transaction, then write the file anew without it.

    Raises:
        StoreError: it cannot be done, for example because another program holds the file.
    """
    engine = open_database(location)
    try:
        with explained(location):
            with engine.begin() as connection:
                if location.file is not None:
                    connection.exec_driver_sql("PRAGMA secure_delete = ON")
                found = _traces(connection, athlete)
                for table in reversed(schema.metadata.sorted_tables):  # those who refer first
                    if (theirs := _belongs(table, athlete)) is not None:
                        connection.execute(delete(table).where(theirs))
            _rewrite(engine, location)
    finally:
        engine.dispose()
    return found


def erase_journals(folder: Path, athlete: str) -> int:
    """Remove what a killed service left of sessions in progress; returns how many.

    A running service's are not touched: they end with its sessions.
    """
    removed = 0
    for journal in left_journals(folder):
        if journal.head is not None and journal.head.athlete == athlete:
            journal.remove()
            removed += 1
        else:
            journal.close()
    return removed


def _traces(connection: Connection, athlete: str) -> Traces:
    rows = {}
    for table in schema.metadata.sorted_tables:
        if (theirs := _belongs(table, athlete)) is not None:
            keys = select(*table.primary_key.columns).where(theirs)
            if count := len(connection.execute(keys).all()):
                rows[table.name] = count
    sessions = schema.sessions
    used = select(sessions.c.roller).where(sessions.c.athlete == athlete).distinct()
    return Traces(rows, frozenset(connection.execute(used).scalars()))


def _belongs(table: Table, athlete: str) -> ColumnElement[bool] | None:
    """Which rows are a person's, as the columns of a table tell; None: none can be."""
    sessions, columns = schema.sessions, table.columns
    signs: list[ColumnElement[bool]] = []
    if "athlete" in columns:
        signs.append(columns["athlete"] == athlete)
    elif "session_id" in columns:
        theirs = select(sessions.c.session_id).where(sessions.c.athlete == athlete)
        signs.append(columns["session_id"].in_(theirs))
    if "topic" in columns:
        signs.append(columns["topic"].contains(f"/a/{athlete}/", autoescape=True))
    return or_(*signs) if signs else None


def _rewrite(engine: Engine, location: Location) -> None:
    """Deleted rows linger in free pages and in the write-ahead log."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
        if location.file is None:
            return
        busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    if busy:
        raise StoreError(
            f"{location}: the data is deleted, but another program still holds the old file.",
            hint="End it (`rolltrack run`, for example), and run this again.",
        )
