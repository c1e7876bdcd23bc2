"""Sessions that are still to be delivered, in a real SQLite file."""

from __future__ import annotations

import pytest
from support import sample_events as sample

from rolltrack.store import SessionStore


@pytest.fixture
def store(tmp_path):
    opened = SessionStore(tmp_path / "rolltrack.db", delivers=True)
    yield opened
    opened.close()


def add(store, name, **changes):
    event = sample.ended(name)
    return store.add(sample.summary(name, **changes), event.strokes)


def test_a_stored_session_waits_until_it_is_delivered(store):
    add(store, "id-1")
    add(store, "id-2")
    rows = store.undelivered()
    assert [summary.session_id for _, summary in rows] == ["id-1", "id-2"]
    store.delivered([rows[0][0]])
    assert [summary.session_id for _, summary in store.undelivered()] == ["id-2"]
    assert store.waiting() == 1
    assert len(store.newest()) == 2


def test_it_outlives_the_program(tmp_path):
    first = SessionStore(tmp_path / "rolltrack.db", delivers=True)
    add(first, "id-1")
    first.close()
    second = SessionStore(tmp_path / "rolltrack.db")
    assert second.waiting() == 1
    second.close()


def test_a_session_that_is_there_already_is_not_delivered_again(store):
    add(store, "id-1")
    store.delivered([n for n, _ in store.undelivered()])
    assert not add(store, "id-1")
    assert store.waiting() == 0


def test_it_can_be_read_in_parts(store):
    for n in range(7):
        add(store, f"id-{n}")
    first = store.undelivered(limit=3)
    then = store.undelivered(after=first[-1][0], limit=10)
    assert [s.session_id for _, s in [*first, *then]] == [f"id-{n}" for n in range(7)]


def test_without_a_broker_nothing_waits(tmp_path):
    store = SessionStore(tmp_path / "rolltrack.db")
    add(store, "id-1")
    assert store.waiting() == 0
    store.close()


def test_the_last_session_of_each_athlete_is_the_one_that_began_last(store):
    begun = sample.summary("x").started_unix_s
    add(store, "id-1", athlete="a7k2", started_unix_s=begun + 60)
    add(store, "id-2", athlete="a7k2", started_unix_s=begun)  # a recovered one is stored late
    add(store, "id-3", athlete="b3m9", started_unix_s=begun - 60)
    assert {s.athlete: s.session_id for s in store.last_of_each_athlete()} == {
        "a7k2": "id-1",
        "b3m9": "id-3",
    }
