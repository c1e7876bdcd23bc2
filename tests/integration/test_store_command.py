"""`rolltrack sessions` on a real store."""

import json
import os
import subprocess
import sys

import pytest
from support import sample_events as sample

from rolltrack import wire
from rolltrack.store import SessionStore

OTHER = "019ab2f2-1111-7d10-8a51-0f6c2b9d4e77"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "rolltrack.db"
    store = SessionStore(path)
    store.add(sample.summary(), [sample.judged(1), sample.judged(2, too_fast=True)])
    store.add(sample.summary(OTHER, athlete="b2", mean_speed_mps=None, started_unix_s=1.77e9), [])
    store.close()
    return path


def sessions(*arguments, locale="C.UTF-8"):
    return subprocess.run(
        [sys.executable, "-m", "rolltrack", "sessions", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"LC_ALL": locale},
    )


def test_the_list_fits_a_terminal_and_shows_the_newest_first(path):
    lines = sessions("list", "--store", path).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].startswith(OTHER[:13])
    assert lines[3].startswith(sample.SESSION_ID[:13])
    assert lines[3].split()[-4:] == ["96", "11", "3.8", "9.1"]


def test_the_list_as_json_is_made_of_session_payloads(path):
    document = json.loads(sessions("list", "--store", path, "--json", "--athlete", "a7k2").stdout)
    assert document == {
        "v": 1,
        "sessions": [wire.to_builtins(wire.session_payload(sample.summary()))],
    }


def test_a_session_is_shown_with_its_strokes_in_cm_per_second(path):
    shown = sessions("show", sample.SESSION_ID[:13], "--store", path).stdout
    assert "7.81 ± 0.06 cm/s" in shown
    assert shown.count("too fast") == 1
    assert "96 strokes, 11 of them" in shown


def test_germans_read_their_sessions_in_german(path):
    listed = sessions("list", "--store", path, locale="de_DE.UTF-8").stdout.splitlines()
    assert listed[0].split() == ["zu", "Ø", "max."]
    assert listed[1].split()[:6] == ["id", "Beginn", "Sportler", "Bereich", "gerollt", "Züge"]
    assert max(map(len, listed)) <= 80
    assert listed[3].split()[-4:] == ["96", "11", "3,8", "9,1"]
    shown = sessions("show", sample.SESSION_ID, "--store", path, "--lang", "de").stdout
    assert "7,81 ± 0,06 cm/s" in shown
    assert shown.count("zu schnell") == 1
    assert "96 Züge, davon 11" in shown


def test_a_session_as_json_has_its_strokes(path):
    document = json.loads(sessions("show", sample.SESSION_ID, "--store", path, "--json").stdout)
    assert document["session"]["session_id"] == sample.SESSION_ID
    assert [stroke["too_fast"] for stroke in document["strokes"]] == [False, True]


def test_the_configuration_says_which_store(path, tmp_path):
    (tmp_path / "rolltrack.toml").write_text('[store]\npath = "rolltrack.db"\n')
    shown = sessions("list", "--config", tmp_path / "rolltrack.toml")
    assert OTHER[:13] in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "ffff"], 2, "No session"),
        (["show", "019ab2f"], 2, "More than one session"),
        (["list", "--limit", "0"], 2, "--limit"),
    ],
)
def test_faults_are_one_line_with_the_exit_code(path, arguments, code, said):
    ended = sessions(*arguments, "--store", path)
    assert ended.returncode == code
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_without_a_store_there_are_no_sessions_and_none_is_made(tmp_path):
    path = tmp_path / "none.db"
    assert sessions("list", "--store", path, "--json").stdout == '{"v":1,"sessions":[]}\n'
    assert sessions("show", "--store", path).returncode == 2
    assert not path.exists()


def test_ids_that_begin_alike_are_all_named(path):
    said = sessions("show", "019ab2f", "--store", path).stderr
    assert sample.SESSION_ID in said
    assert OTHER in said


def test_an_empty_file_stays_empty(tmp_path):
    path = tmp_path / "mine.db"
    path.touch()
    assert sessions("list", "--store", path).returncode == 3
    assert path.stat().st_size == 0


def test_a_damaged_store_is_one_clear_line(tmp_path):
    path = tmp_path / "letter.db"
    path.write_text("Dear diary, " * 100)
    ended = sessions("list", "--store", path)
    assert ended.returncode == 1
    assert "it is not a database. Move it away" in ended.stderr
