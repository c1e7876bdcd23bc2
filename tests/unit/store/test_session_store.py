import sqlite3
import stat
import subprocess
import sys
import threading

import pytest
from support import sample_events as sample

from rolltrack.errors import StoreError, UsageError
from rolltrack.store import SessionStore, StoredSession
from rolltrack.store.schema import VERSION


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "rolltrack.db"


@pytest.fixture
def store(path):
    store = SessionStore(path)
    yield store
    store.close()


STROKES = (sample.judged(1), sample.judged(2, too_fast=True))


def test_a_session_comes_back_as_it_was(store):
    summary = sample.summary(peak_speed_mps=None)
    assert store.add(summary, STROKES)
    assert store.get(summary.session_id) == StoredSession(summary, STROKES)


def test_a_session_survives_closing_and_opening(path, store):
    store.add(sample.summary(), STROKES)
    store.close()
    again = SessionStore(path)
    assert again.get("last").strokes == STROKES
    again.close()


def test_storing_twice_changes_nothing(store):
    summary = sample.summary()
    assert store.add(summary, STROKES)
    assert not store.add(sample.summary(strokes=1), STROKES[:1])
    assert store.newest() == [summary]
    assert len(store.get("last").strokes) == 2


def test_the_latest_revision_is_the_one_that_counts(store):
    store.add(sample.summary(revision=2, strokes=1), STROKES[:1])
    store.add(sample.summary(revision=1), STROKES)
    assert [s.revision for s in store.newest()] == [2]
    assert store.get(sample.SESSION_ID[:8]).strokes == STROKES[:1]


def test_the_newest_come_first_and_can_be_limited_and_filtered(store):
    for n, athlete in enumerate(["a", "b", "a", "b"]):
        store.add(sample.summary(f"id-{n}", athlete=athlete, started_unix_s=float(n)), ())
    assert [s.session_id for s in store.newest(3)] == ["id-3", "id-2", "id-1"]
    assert [s.session_id for s in store.newest(athlete="a")] == ["id-2", "id-0"]


@pytest.mark.parametrize(
    ("prefix", "complaint"), [("id-", "More than one"), ("x", "No session"), ("%", "No session")]
)
def test_an_id_that_fits_not_exactly_one_session_is_refused(store, prefix, complaint):
    store.add(sample.summary("id-1"), ())
    store.add(sample.summary("id-2"), ())
    with pytest.raises(UsageError, match=complaint):
        store.get(prefix)


def test_file_and_folder_are_the_owners_alone(path, store):
    store.add(sample.summary(), STROKES)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_writes_survive_a_power_cut(store):
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_several_threads_may_store_at_once(store):
    threads = [
        threading.Thread(target=store.add, args=(sample.summary(f"id-{n}"), STROKES))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.newest()) == 12


def test_the_schema_version_is_recorded(path, store):
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version FROM rolltrack_schema").fetchall() == [(VERSION,)]
    connection.close()


def test_a_newer_schema_is_left_alone(path, store):
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE rolltrack_schema SET version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"newer rolltrack.*Update rolltrack"):
        SessionStore(path)


def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="another program"):
        SessionStore(path)


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "letter.db"
    path.write_text("Dear diary, " * 100)
    with pytest.raises(StoreError, match=r"letter\.db: it is not a database\. Move it away"):
        SessionStore(path)
    assert path.read_text().startswith("Dear diary")


def test_a_damaged_database_is_named(path, store):
    for n in range(200):
        store.add(sample.summary(f"id-{n:03}"), STROKES)
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StoreError, match=r"rolltrack\.db: it is damaged"):
        SessionStore(path).newest()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"set store\.path"):
        SessionStore(tmp_path / "file" / "rolltrack.db")


@pytest.mark.process
def test_opening_a_store_again_takes_no_lock_from_the_first(path, store):
    """Closing any file ends all locks a process has on it; others may then tear the store apart."""
    store.add(sample.summary(), STROKES)
    SessionStore(path).close()
    script = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute(sys.argv[2])"
    other = subprocess.run(
        [sys.executable, "-c", script, str(path), "PRAGMA journal_mode = DELETE"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "database is locked" in other.stderr
