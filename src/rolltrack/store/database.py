"""Opens the SQLite file: private, durable, ours; and says in plain words what is wrong with it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, create_engine, event, inspect, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable

from rolltrack.errors import StoreError
from rolltrack.store import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers do not stop the writer
    "PRAGMA synchronous = FULL",  # a stored session survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
)

# What SQLite says -> what it means to the user, and what to do.
CAUSES = (
    ("disk is full", "the disk is full.", "Free some space on it."),
    ("locked", "another program holds it.", "End that program."),
    ("readonly", "it is read-only.", "Make it writable, or set store.path to another file."),
    ("unable to open", "it cannot be opened.", "Check its folder, or set store.path."),
    (
        "not a database",
        "it is not a database.",
        "Move it away, or set store.path to another file.",
    ),
    ("malformed", "it is damaged.", "Restore a backup, or move it away to start a new one."),
)


def open_database(path: Path) -> Engine:
    """Open the store, and make it if there is none.

    Raises:
        StoreError: the file cannot be made, is damaged, another program's, or a newer rolltrack's.
    """
    _make_private(path)
    engine = create_engine(URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _prepare)
    try:
        with explained(path):
            _check_schema(engine, path)
    except StoreError:
        engine.dispose()
        raise
    return engine


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the database's complaints into StoreError, with the remedy."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig)
        for sign, meaning, remedy in CAUSES:
            if sign in said:
                raise StoreError(f"Session store {path}: {meaning}", hint=remedy) from error
        raise StoreError(f"Session store {path}: {said}.") from error


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"Session store {path} cannot be used: {error.strerror}.",
            hint="Correct the permissions, or set store.path to another file.",
        ) from error


def _prepare(connection: Any, _record: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _check_schema(engine: Engine, path: Path) -> None:
    tables = set(inspect(engine).get_table_names())
    if schema.schema_version.name not in tables:
        if tables:
            raise StoreError(
                f"Session store {path} is a database of another program.",
                hint="Set store.path to another file.",
            )
        _create(engine)
    with engine.connect() as connection:
        version = connection.execute(select(schema.schema_version.c.version)).scalar_one()
    if version > schema.VERSION:
        raise StoreError(
            f"Session store {path} was written by a newer rolltrack (schema {version}).",
            hint="Update rolltrack, or set store.path to another file.",
        )


def _create(engine: Engine) -> None:
    """Make the tables; another process may be doing the same."""
    with engine.begin() as connection:
        for table in schema.metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
        version = insert(schema.schema_version).values(version=schema.VERSION)
        connection.execute(version.on_conflict_do_nothing())
