"""`rolltrack archive` on real databases."""

import csv
import io
import json
import os
import stat
import subprocess
import sys

import pytest
from support import archives
from support.postgresql import PASSWORD

from rolltrack.archive import ArchiveStore
from rolltrack.archive.store import Refusal

RECENT_UNIX_S = 4_000_000_000.0  # for a long time to come later than this week's Monday


@pytest.fixture
def filled(database):
    store = ArchiveStore(archives.at(database))
    arrivals = [
        archives.arrival(1, started_unix_s=1.7e9),
        archives.arrival(2, started_unix_s=RECENT_UNIX_S, strokes=50, too_fast_strokes=5),
        archives.arrival(3, started_unix_s=1.7e9 + 60, athlete="b3m9"),
    ]
    refusal = Refusal("rolltrack/v1/gym/a/x/session/\x1b[2J", "is not JSON", b"\x1b[2Jhello")
    store.keep(arrivals, [refusal], site=archives.SITE, arrived_unix_s=1.7e9)
    store.close()
    return database


def archive(*arguments, cwd=None, env=None):
    return subprocess.run(
        [sys.executable, "-m", "rolltrack", "archive", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env=os.environ | {"LC_ALL": "C.UTF-8"} | (env or {}),
    )


def test_sessions_are_listed_newest_first(filled):
    lines = archive("sessions", "--database", filled).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[3] for line in lines[2:]] == ["a7k2", "b3m9", "a7k2"]
    narrowed = archive(
        "sessions", "--database", filled, "--json", "--since", "2030-01-01", "--athlete", "a7k2"
    )
    document = json.loads(narrowed.stdout)
    assert [each["session_id"] for each in document["sessions"]] == [archives.session_id(2)]


def test_sessions_and_their_absence_are_told_in_german_too(filled):
    german = ("--database", filled, "--lang", "de")
    lines = archive("sessions", *german).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[:6] == ["id", "Beginn", "Sportler", "Bereich", "gerollt", "Züge"]
    assert "keine solchen Sitzungen" in archive("sessions", *german, "--athlete", "nobody").stderr


def test_athletes_show_the_dose_of_this_week(filled):
    shown = archive("athletes", "--database", filled, "--lang", "en").stdout
    busy, idle = shown.splitlines()[-2:]
    assert busy.split()[:6] == ["a7k2", "1", "3:34", "50", "10", "%"]
    assert idle.split()[:5] == ["b3m9", "0", "0:00", "0", "?"]
    german = archive("athletes", "--database", filled, env={"LC_ALL": "de_DE.UTF-8"}).stdout
    assert german.splitlines()[1].split() == [
        *("Sportler", "Sitzungen", "gerollt", "Züge", "zu", "schnell", "letzte", "Sitzung")
    ]
    document = json.loads(archive("athletes", "--database", filled, "--json").stdout)
    assert document["athletes"][0]["too_fast_share"] == 0.1
    assert document["athletes"][1] == {
        "athlete": "b3m9",
        "sessions": 0,
        "rolling_s": 0.0,
        "strokes": 0,
        "too_fast_strokes": 0,
        "too_fast_share": None,
        "last_session_at": "2023-11-14T22:14:20.000Z",
    }


def test_an_export_is_whole_private_and_counted(filled, tmp_path):
    out = tmp_path / "sessions.csv"
    ended = archive("export", "--database", filled, "--out", out)
    assert ended.returncode == 0
    assert ended.stdout == ""
    assert "3 sessions exported" in ended.stderr
    assert len(list(csv.DictReader(io.StringIO(out.read_text())))) == 3
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert not (tmp_path / "sessions.csv.part").exists()


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_an_export_goes_to_standard_output_by_itself(filled, form):
    out = archive("export", "--database", filled, "--format", form, "--athlete", "a7k2").stdout
    found = json.loads(out)["sessions"] if form == "json" else map(json.loads, out.splitlines())
    assert [each["strokes"] for each in found] == [96, 50]


def test_what_was_refused_is_shown_without_its_control_characters(filled):
    shown = archive("refused", "--database", filled).stdout
    assert "is not JSON" in shown
    assert "\x1b" not in shown
    (refused,) = json.loads(archive("refused", "--database", filled, "--json").stdout)["refused"]
    assert refused["reason"] == "is not JSON"


def test_the_configuration_names_database_and_password_file(cluster, tmp_path):
    url = cluster.over_tcp(cluster.new_database())
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    (tmp_path / "rolltrack.toml").write_text(
        f'[archive]\ndatabase = "{url}"\ndatabase_password_file = "secret"\n'
    )
    ended = archive("sessions", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert f"no such sessions in {url.replace('coach@', 'coach:***@')}" in ended.stderr
    assert PASSWORD not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "needs the broker that the services of the site publish to. Set mqtt.broker"),
        (["run", "--mqtt", "a b/c"], 2, "is not a broker address"),
        (["run", "--mqtt", "localhost", "--site", "The Gym"], 2, "not a valid site id"),
        (["run", "--mqtt", "localhost", "--name", "a/b"], 2, "not a valid archive id"),
        (["run", "--mqtt", "localhost", "--database", "/dev/null/x.db"], 1, "cannot be used"),
        (["run", "--mqtt", "localhost", "--database", "mysql://x/y"], 2, "cannot be used"),
        (["sessions", "--database", "none.db"], 2, "There is no archive at none.db yet."),
        (["sessions", "--database", "postgresql://u:hunter2@h/d"], 2, "holds a password"),
        (["export", "--since", "yesterday"], 2, '"yesterday" is no date'),
        (["export", "--format", "xml"], 2, "xml"),
    ],
)
def test_faults_are_one_line_with_the_exit_code(tmp_path, arguments, code, said):
    ended = archive(*arguments, cwd=tmp_path, env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert ended.returncode == code
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "hunter2" not in ended.stderr
    assert not (tmp_path / "none.db").exists()


def test_an_export_that_fails_leaves_nothing(filled, tmp_path):
    ended = archive("export", "--database", filled, "--out", tmp_path / "no" / "sessions.csv")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
