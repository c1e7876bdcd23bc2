import csv
import io
import json

import pytest
from support import archives

from rolltrack.archive import ArchiveStore
from rolltrack.archive.export import write_export
from rolltrack.archive.reading import Dose, count_sessions, doses, newest_sessions, payloads

DAY_S = 86_400.0
NOON_UNIX_S = 1_763_900_000.0


@pytest.fixture
def store(database):
    """Two athletes; one has a session of last week and one that was corrected."""
    store = ArchiveStore(archives.at(database))
    arrivals = [
        archives.arrival(1, athlete="a7k2", started_unix_s=NOON_UNIX_S - 7 * DAY_S, strokes=10),
        archives.arrival(2, athlete="a7k2", started_unix_s=NOON_UNIX_S, strokes=1),
        archives.arrival(2, athlete="a7k2", started_unix_s=NOON_UNIX_S, revision=2, strokes=20),
        archives.arrival(3, athlete="a7k2", started_unix_s=NOON_UNIX_S + 60, strokes=30),
        archives.arrival(4, athlete="b3", started_unix_s=NOON_UNIX_S - 8 * DAY_S, strokes=5),
    ]
    store.keep(arrivals, [], site=archives.SITE, arrived_unix_s=NOON_UNIX_S)
    yield store
    store.close()


def test_a_dose_counts_the_latest_revision_of_the_sessions_of_the_period(store):
    assert doses(store, since_unix_s=NOON_UNIX_S - DAY_S) == [
        Dose("a7k2", 2, pytest.approx(428.0), 50, 22, NOON_UNIX_S + 60),
        Dose("b3", 0, 0, 0, 0, NOON_UNIX_S - 8 * DAY_S),
    ]


def test_who_did_not_roll_has_no_share_of_too_fast_strokes(store):
    busy, idle = doses(store, since_unix_s=NOON_UNIX_S - DAY_S)
    assert busy.too_fast_share == pytest.approx(22 / 50)
    assert idle.too_fast_share is None


def test_sessions_are_the_newest_first_and_can_be_narrowed(store):
    def numbers(limit=9, athlete=None, since_unix_s=None):
        found = newest_sessions(store, limit, athlete=athlete, since_unix_s=since_unix_s)
        return [int(each.session_id[-1]) for each in found]

    assert numbers() == [3, 2, 1, 4]
    assert numbers(limit=1) == [3]
    assert numbers(athlete="b3") == [4]
    assert numbers(since_unix_s=NOON_UNIX_S) == [3, 2]


def test_payloads_are_the_oldest_first_and_as_many_as_counted(store):
    found = [json.loads(text) for text in payloads(store, athlete="a7k2", since_unix_s=None)]
    assert [each["session_id"][-1] for each in found] == ["1", "2", "3"]
    assert found[1]["revision"] == 2
    assert count_sessions(store, athlete="a7k2", since_unix_s=None) == 3


def exported(texts, form):
    out = io.StringIO()
    written = list(write_export(texts, out, form))
    assert written == list(range(1, len(texts) + 1))
    return out.getvalue()


TEXTS = [
    archives.arrival(1, peak_speed_mps=None, region="=1+1").text,
    archives.arrival(2, region='calf, "left"').text,
]


def test_csv_has_the_keys_of_the_payload_and_no_formulas():
    rows = list(csv.DictReader(io.StringIO(exported(TEXTS, "csv"))))
    assert [row["region"] for row in rows] == ["'=1+1", 'calf, "left"']
    assert rows[0]["peak_mm_s"] == ""
    assert rows[0]["mean_mm_s"] == "38.4"
    assert list(rows[0]) == list(json.loads(TEXTS[0]))


@pytest.mark.parametrize("texts", [[], TEXTS])
def test_json_is_one_document_of_the_payloads(texts):
    assert json.loads(exported(texts, "json")) == {
        "v": 1,
        "sessions": [json.loads(text) for text in texts],
    }


def test_ndjson_is_one_document_per_line_however_it_came():
    spread = json.dumps(json.loads(TEXTS[0]), indent=2)
    lines = exported([spread, TEXTS[1]], "ndjson").split("\n")
    assert [json.loads(line) for line in lines[:-1]] == [json.loads(text) for text in TEXTS]
