"""The session sink on a real database that is full, or held by somebody else."""

import asyncio
import logging
import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import event
from support import sample_events as sample

from rolltrack.core.events import LinkChanged
from rolltrack.sinks.sessions import SessionSink
from rolltrack.store import SessionStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rolltrack.db"


async def store_sessions(sink, first, last):
    for n in range(first, last):
        await sink.handle(sample.ROLLER, sample.ended(f"id-{n:03}", strokes=40))


def room_for(store, pages):
    """SQLite's own limit stands in for the end of the disk: it fails with the same error."""
    store._engine.dispose()

    def limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(store._engine, "connect", limit)
    return lambda: (event.remove(store._engine, "connect", limit), store._engine.dispose())


async def test_sessions_are_stored_and_other_events_are_not_ours(path):
    sink = SessionSink(SessionStore(path))
    await sink.open()
    await sink.handle(sample.ROLLER, LinkChanged(t_s=0.0, up=True))
    await store_sessions(sink, 0, 2)
    await sink.close()
    store = SessionStore(path)
    assert {s.session_id for s in store.newest()} == {"id-000", "id-001"}
    store.close()


async def test_a_full_disk_loses_nothing_and_says_so_once(path, caplog):
    store = SessionStore(path)
    sink = SessionSink(store)
    await store_sessions(sink, 0, 3)
    make_room = room_for(store, pages=20)
    await store_sessions(sink, 3, 30)
    (told,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "the disk is full. Free some space on it." in told
    stored = {s.session_id for s in store.newest(99)}
    assert {"id-000", "id-001", "id-002"} <= stored
    assert len(stored) < 30
    make_room()
    await sink.close()
    store = SessionStore(path)
    assert len(store.newest(99)) == 30
    assert all(len(store.get(s.session_id).strokes) == 40 for s in store.newest(99))
    store.close()


async def test_waiting_sessions_are_tried_again_without_a_new_one(path):
    store = SessionStore(path)
    sink = SessionSink(store, retry_s=0.01)
    make_room = room_for(store, pages=8)
    await store_sessions(sink, 0, 3)
    retry = sink._retry
    make_room()
    async with asyncio.timeout(20):
        await retry
    assert len(store.newest()) == 3
    await sink.close()


async def test_a_session_that_is_not_one_keeps_no_other_from_being_stored(path, caplog):
    sink = SessionSink(SessionStore(path))
    odd = replace(sample.ended("id-odd"), strokes=("no stroke",))
    await sink.handle(sample.ROLLER, odd)
    await store_sessions(sink, 0, 2)
    await sink.close()
    assert {s.session_id for s in SessionStore(path).newest()} == {"id-000", "id-001"}
    assert "Session id-odd cannot be written" in caplog.text
    assert "Session id-odd could not be stored." in caplog.text


async def test_sessions_that_cannot_be_stored_are_named_at_the_end(path, caplog):
    store = SessionStore(path)
    sink = SessionSink(store)
    room_for(store, pages=8)
    await store_sessions(sink, 0, 1)
    await sink.close()
    assert "Session id-000 could not be stored." in caplog.text


async def test_a_database_held_by_another_program_delays_only_the_storing(path, caplog):
    store = SessionStore(path)
    event.listen(store._engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 50"))
    store._engine.dispose()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    sink = SessionSink(store)
    await store_sessions(sink, 0, 1)
    assert "another program holds it. End that program." in caplog.text
    holder.execute("ROLLBACK")
    holder.close()
    await sink.close()
    store = SessionStore(path)
    assert len(store.newest()) == 1
    store.close()
