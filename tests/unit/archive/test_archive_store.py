import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from support import archives

from rolltrack.archive import ArchiveStore
from rolltrack.archive.arrival import read_arrival
from rolltrack.archive.reading import newest_sessions, payloads, refused_messages
from rolltrack.archive.store import REFUSED_KEPT, Refusal
from rolltrack.errors import InputError, StoreError
from rolltrack.store import schema

AT = {"site": archives.SITE, "arrived_unix_s": 1.0}


@pytest.fixture
def store(database):
    store = ArchiveStore(archives.at(database))
    yield store
    store.close()


def newest(store, limit=99, athlete=None, since_unix_s=None):
    return newest_sessions(store, limit, athlete=athlete, since_unix_s=since_unix_s)


def count(store, table):
    with store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_session_comes_back_as_its_payload_said_it(store):
    arrival = archives.arrival(peak_speed_mps=None)
    kept = store.keep([arrival], [], **AT)
    assert kept.new == {0}
    assert newest(store) == [arrival.summary]
    assert list(payloads(store, athlete=None, since_unix_s=None)) == [arrival.text]


def test_a_pair_of_id_and_revision_is_stored_once(store):
    once, revised = archives.arrival(), archives.arrival(revision=2, strokes=1)
    first = store.keep([revised, once, once], [], **AT)
    assert (first.new, first.known) == ({0, 1}, {2})
    again = store.keep([once, revised], [], **AT)
    assert (again.new, again.known) == (set(), {0, 1})
    assert newest(store) == [revised.summary]
    assert count(store, schema.sessions) == 2


def test_other_content_under_the_same_key_changes_nothing(store):
    store.keep([archives.arrival()], [], **AT)
    contradiction = archives.arrival(strokes=1)
    kept = store.keep([contradiction], [], **AT)
    assert kept.other == {0}
    assert newest(store)[0].strokes == 96
    (apart,) = refused_messages(store, 9)
    assert apart.reason == "says other things than is stored as revision 1"
    assert apart.body == contradiction.text.encode()


def test_a_repetition_with_keys_of_a_later_version_is_a_repetition(store):
    topic, body = archives.message()
    store.keep([read_arrival(topic, body)], [], **AT)
    longer = json.dumps(json.loads(body) | {"mood": "good"}).encode()
    assert store.keep([read_arrival(topic, longer)], [], **AT).known == {0}


def test_a_batch_is_stored_whole_or_not_at_all(store):
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE refused"))
    with pytest.raises(StoreError):
        store.keep([archives.arrival()], [Refusal("t", "r", b"")], **AT)
    assert newest(store) == []


def test_of_refused_messages_the_newest_are_kept_and_of_a_body_the_beginning(store):
    for first in range(0, REFUSED_KEPT + 200, 100):
        batch = [Refusal(f"t/{first + n}", "is not JSON", b"\x00" * 20_000) for n in range(100)]
        store.keep([], batch, **AT)
    kept = refused_messages(store, 9999)
    assert len(kept) == REFUSED_KEPT
    assert kept[0].topic == f"t/{REFUSED_KEPT + 199}"
    assert kept[0].body == b"\x00" * 16_384


ANY = st.one_of(
    st.text(max_size=220), st.integers(), st.floats(allow_nan=False), st.none(), st.booleans()
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=st.dictionaries(st.sampled_from(sorted(archives.payload().__struct_fields__)), ANY))
def test_whatever_is_accepted_can_be_stored(store, changes):
    document = json.loads(archives.message()[1]) | changes
    topic = archives.TOPICS.session("a7k2", archives.session_id(0))
    try:
        arrival = read_arrival(topic, json.dumps(document).encode())
    except InputError:
        return
    store.keep([arrival], [], **AT)
