"""Brings a database to the schema of this rolltrack, all or nothing, whoever else tries as well."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, inspect, select

from rolltrack.errors import StoreError
from rolltrack.store import schema
from rolltrack.store.location import POSTGRESQL

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from rolltrack.store.location import Location

FOLDER = Path(__file__).parent / "migrations"
REVISION_TABLE = "rolltrack_revision"
BEFORE_ALEMBIC = 1
"""Databases of this version may lack Alembic's own table."""
PATIENCE_MS = 60_000
"""On SQLite, longer than all steps of another process may take on a slow disk."""
LOCK = 0x726F6C6C74726163
"""PostgreSQL's advisory lock of those who migrate; any number that others do not use."""


def bring_up_to_date(engine: Engine, location: Location) -> None:
    """Run the steps that are missing, in one transaction.

    Raises:
        StoreError: the database is another program's, or a newer rolltrack's.
    """
    with engine.connect() as connection:
        if _version(connection, location) == schema.VERSION:
            return
    with engine.begin() as connection:
        _keep_others_out(connection)
        version = _version(connection, location)
        if version < schema.VERSION:
            _run_steps(connection, version)
            connection.execute(delete(schema.schema_version))
            connection.execute(insert(schema.schema_version).values(version=schema.VERSION))
    engine.dispose()  # connections from here on have their usual patience


def _version(connection: Connection, location: Location) -> int:
    """The number of the last step; 0 for an empty database."""
    tables = set(inspect(connection).get_table_names())
    if schema.schema_version.name not in tables:
        if tables:
            raise StoreError(
                f"{location} is a database of another program.",
                hint=_choose_another(location).capitalize(),
            )
        return 0
    found = connection.execute(select(func.max(schema.schema_version.c.version))).scalar_one()
    version = int(found or 0)
    if version > schema.VERSION:
        raise StoreError(
            f"{location} was written by a newer rolltrack (schema {version}).",
            hint=f"Update rolltrack, or {_choose_another(location)}",
        )
    return version


def _choose_another(location: Location) -> str:
    return f"set {location.setting} to another {'file' if location.file else 'database'}."


def _keep_others_out(connection: Connection) -> None:
    """Until the transaction ends; who waits finds the work done."""
    if connection.dialect.name == POSTGRESQL:
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    else:  # Python's SQLite driver would begin only at the first INSERT, after tables are made
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _run_steps(connection: Connection, version: int) -> None:
    from alembic import command  # noqa: PLC0415  # slow to import, and rarely needed
    from alembic.config import Config  # noqa: PLC0415  # the same

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = REVISION_TABLE
    if version == BEFORE_ALEMBIC and not inspect(connection).has_table(REVISION_TABLE):
        command.stamp(config, f"{BEFORE_ALEMBIC:04}")
    command.upgrade(config, "head")
