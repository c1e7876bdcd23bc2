"""The tables of every database that anybody may have, brought up to date, on both kinds."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, text
from support import sample_events as sample

from rolltrack.errors import StoreError
from rolltrack.store import SessionStore, migrate, schema
from rolltrack.store.database import open_database
from rolltrack.store.location import location_of

FIRST_RELEASE = (Path(__file__).parent / "version_1.sql").read_text("utf-8")
SOME_ID = "019ab2f1-7c3a-7d10-8a51-0f6c2b9d4e77"


def at(database):
    return location_of(database, what="Archive", setting="archive.database")


@pytest.fixture
def version_1(tmp_path):
    """A store as it was written before there were migrations, with a session in it."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(FIRST_RELEASE)
    connection.close()
    return path


def test_the_number_in_the_schema_is_that_of_the_last_step():
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    assert ScriptDirectory.from_config(config).get_current_head() == f"{schema.VERSION:04}"


def test_the_steps_lead_to_the_schema(database):
    engine = open_database(at(database))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrate.REVISION_TABLE}
        )
        assert compare_metadata(context, schema.metadata) == []
        assert connection.execute(select(schema.schema_version.c.version)).all() == [
            (schema.VERSION,)
        ]
    engine.dispose()


def test_a_store_from_before_migrations_keeps_its_sessions(version_1):
    store = SessionStore(version_1)
    kept = store.get(SOME_ID)
    assert kept.summary.strokes == 96
    assert kept.summary.mean_speed_mps == 0.03841
    assert kept.strokes == (sample.judged(1),)
    store.close()
    with sqlite3.connect(version_1) as connection:
        assert connection.execute("SELECT * FROM rolltrack_schema").fetchall() == [
            (schema.VERSION,)
        ]
        assert connection.execute("SELECT * FROM refused").fetchall() == []
    connection.close()


def test_a_first_start_that_was_killed_half_way_is_completed(version_1):
    with sqlite3.connect(version_1) as connection:
        connection.executescript("DELETE FROM rolltrack_schema; DROP TABLE strokes")
    connection.close()
    store = SessionStore(version_1)
    assert store.get(SOME_ID).strokes == ()
    store.close()


def test_a_step_that_fails_leaves_everything_as_it_was(version_1, monkeypatch):
    real = migrate._run_steps

    def run_steps_and_fail(connection, version):
        real(connection, version)
        connection.execute(text("SELECT * FROM no_such_table"))

    monkeypatch.setattr(migrate, "_run_steps", run_steps_and_fail)
    with pytest.raises(StoreError, match="no such table"):
        SessionStore(version_1)
    with sqlite3.connect(version_1) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert connection.execute("SELECT * FROM rolltrack_schema").fetchall() == [(1,)]
    connection.close()
    assert "arrivals" not in tables
    assert migrate.REVISION_TABLE not in tables


def test_opening_again_changes_nothing(database):
    first = open_database(at(database))
    with first.begin() as connection:
        connection.execute(
            insert(schema.refused).values(
                arrived_unix_s=1.0, topic="t", reason="r", body=b"\x00\xff"
            )
        )
    first.dispose()
    again = open_database(at(database))
    with again.connect() as connection:
        assert connection.execute(select(schema.refused.c.body)).scalar_one() == b"\x00\xff"
    again.dispose()


@pytest.mark.process
def test_many_processes_may_make_it_at_once(database):
    script = (
        "import sys; from rolltrack.store.database import open_database;"
        "from rolltrack.store.location import location_of;"
        "print('ready', flush=True); sys.stdin.readline();"
        "open_database(location_of(sys.argv[1], what='Archive', setting='archive.database'))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, complaints = process.communicate(timeout=60)
        assert (process.returncode, complaints) == (0, "")
    engine = open_database(at(database))
    assert set(schema.metadata.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


@pytest.mark.parametrize(
    ("statements", "complaint"),
    [
        (
            [
                "CREATE TABLE rolltrack_schema (version INTEGER)",
                "INSERT INTO rolltrack_schema VALUES (99)",
            ],
            r"newer rolltrack \(schema 99\)\. Update rolltrack, or set archive\.database",
        ),
        (["CREATE TABLE bookmarks (url TEXT)"], "is a database of another program"),
    ],
)
def test_what_is_not_ours_is_left_alone_on_a_server(cluster, statements, complaint):
    url = cluster.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
    with pytest.raises(StoreError, match=complaint):
        open_database(at(url))
