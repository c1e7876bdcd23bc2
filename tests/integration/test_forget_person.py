"""`rolltrack forget --athlete`: the person is gone, everybody else is not."""

from __future__ import annotations

import json

import pytest
from support import archives, brokers
from support import sample_events as sample
from support.accounts import Visitor, running

from rolltrack.archive import ArchiveStore
from rolltrack.archive.reading import newest_sessions
from rolltrack.archive.store import Refusal
from rolltrack.cli.main import main
from rolltrack.protocols import load_protocol
from rolltrack.store import SessionStore
from rolltrack.store.forget import erase, traces_of
from rolltrack.store.journal import JournalHead, JournalWriter
from rolltrack.wire import Topics

GONE, STAYS = "a7k2", "a7k"  # one name begins as the other
TOPICS = Topics("home")


@pytest.fixture
def place(tmp_path):
    """A store and an archive with two people, and recordings of both."""
    store = SessionStore(tmp_path / "store.db")
    for n, athlete, roller in ((1, GONE, "rt-gone"), (2, STAYS, "rt-stays"), (3, GONE, "rt-gone")):
        summary = sample.summary(archives.session_id(n), athlete=athlete, roller=roller)
        store.add(summary, [sample.judged(1), sample.judged(2)])
    store.close()
    archive = ArchiveStore(archives.at(str(tmp_path / "archive.db")))
    keep(archive)
    archive.close()
    (tmp_path / "raw").mkdir()
    for roller in ("rt-gone", "rt-stays"):
        (tmp_path / "raw" / f"{roller}-20261123T101320.csv").write_text("t_s\n")
    return tmp_path


def keep(archive):
    arrivals = [archives.arrival(n, athlete=who) for n, who in ((1, GONE), (2, STAYS))]
    refusals = [Refusal(TOPICS.session(who, "x"), "broken", b"{") for who in (GONE, STAYS)]
    archive.keep(arrivals, refusals, site="home", arrived_unix_s=1.0)


def configured(place, mqtt="enabled = false\n"):
    path = place / "rolltrack.toml"
    path.write_text(f"[mqtt]\n{mqtt}[store]\npath = 'store.db'\n[record]\nfolder = 'raw'\n")
    return ["--config", str(path)]


def bytes_of(folder, name):
    return b"".join(file.read_bytes() for file in folder.glob(f"{name}*") if file.is_file())


def test_not_a_byte_is_left_in_store_and_archive(place, capsys):
    assert GONE.encode() in bytes_of(place, "store.db")
    archive = ["--archive", str(place / "archive.db")]
    command = ["forget", "--athlete", GONE, "--yes", "--json", *archive, *configured(place)]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["erased"] == {
        str(place / "store.db"): {"sessions": 2, "strokes": 4},
        str(place / "archive.db"): {"sessions": 1, "arrivals": 1, "refused": 1},
    }
    assert told["recordings"] == [str(place / "raw" / "rt-gone-20261123T101320.csv")]
    for name in ("store.db", "archive.db"):
        left = bytes_of(place, name)
        assert GONE.encode() not in left
        assert STAYS.encode() in left
    for n in (1, 3):
        assert archives.session_id(n).encode() not in bytes_of(place, "store.db")
    store = SessionStore(place / "store.db")
    assert [each.athlete for each in store.newest()] == [STAYS]
    assert len(store.get(archives.session_id(2)).strokes) == 2
    store.close()
    assert main(command) == 0  # nothing more to do is no failure


def test_the_outbox_and_journals_of_a_killed_service_go_too(place, capsys):
    store = SessionStore(place / "store.db", delivers=True)
    store.add(sample.summary(archives.session_id(7), athlete=GONE), [])
    store.close()
    folder = place / "store.db.journals"
    for athlete in (GONE, STAYS):
        journal = JournalWriter(folder, head(athlete))
        journal.close()
    assert main(["forget", "--athlete", GONE, "--yes", "--json", *configured(place)]) == 0
    erased = json.loads(capsys.readouterr().out)["erased"]
    assert erased[str(place / "store.db")]["outbox"] == 1
    assert erased[str(folder)] == {"journals": 1}
    assert [file.stem for file in folder.iterdir()] == [f"of-{STAYS}"]
    assert GONE.encode() not in bytes_of(place, "store.db")


def head(athlete):
    return JournalHead(
        session_id=f"of-{athlete}",
        started_s=0.0,
        roller="rt-1",
        athlete=athlete,
        protocol=load_protocol("slow-release"),
        radius_m=0.075,
        shape="roller",
        region="",
        epoch_unix_s=0.0,
        id_salt=b"",
        axle=None,
    )


def test_an_archive_of_any_kind_forgets(database):
    location = archives.at(database)
    archive = ArchiveStore(location)
    keep(archive)
    assert traces_of(location, GONE).rows == {"sessions": 1, "arrivals": 1, "refused": 1}
    assert erase(location, GONE).rows == {"sessions": 1, "arrivals": 1, "refused": 1}
    assert traces_of(location, GONE).rows == {}
    left = newest_sessions(archive, 9, athlete=None, since_unix_s=None)
    assert [each.athlete for each in left] == [STAYS]
    archive.close()


@pytest.mark.broker
def test_the_broker_forgets_within_the_rights_of_a_service(place, capsys):
    out, port = place / "broker", brokers.free_port()
    listen = ["--listen", f"127.0.0.1:{port}"]
    assert main(["broker", "acl", "--out", str(out), *listen, "--home-assistant"]) == 0
    secrets = {file.name: file.read_text().strip() for file in (out / "logins").iterdir()}
    theirs = [
        TOPICS.last_session(GONE),
        TOPICS.of_roller(GONE, "rt-gone", "state"),
        TOPICS.of_roller(GONE, "rt-gone", "availability"),
        "homeassistant/device/rolltrack_rt-gone/config",
    ]
    others = [
        TOPICS.last_session(STAYS),
        TOPICS.of_roller(STAYS, "rt-stays", "state"),
        "homeassistant/device/rolltrack_rt-stays/config",
        TOPICS.bridge_info,
    ]
    stubborn = TOPICS.command(GONE, "rt-gone", "start")
    mqtt = (
        f"broker = '127.0.0.1:{port}'\nusername = 'site-home'\n"
        f"password_file = '{out / 'logins' / 'site-home'}'\n"
    )
    with running(out):
        with Visitor(port, "site-home", secrets["site-home"]) as service:
            for topic in (*theirs, *others):
                who = "" if topic == TOPICS.bridge_info else GONE if topic in theirs else STAYS
                service.publish(topic, f"{TOPICS.prefix}/a/{who}/x".encode(), retain=True)
        with Visitor(port, "home-assistant", secrets["home-assistant"]) as somebody:
            somebody.publish(stubborn, b"{}", retain=True)
        capsys.readouterr()
        command = ["forget", "--athlete", GONE, "--yes", "--json", *configured(place, mqtt)]
        assert main(command) == 0
        told = json.loads(capsys.readouterr().out)
        with Visitor(port, "home-assistant", secrets["home-assistant"]) as observer:
            observer.subscribe("rolltrack/#", "homeassistant/#")
            observer.fence()
    assert told["cleared"] == sorted(theirs)
    assert told["not_cleared"] == [stubborn]
    assert {topic for topic, _, _ in observer.received} == {*others, stubborn}


def test_it_asks_first(place, capsys):
    before = bytes_of(place, "store.db")
    assert main(["forget", "--athlete", GONE, *configured(place)]) == 2
    assert "Give --yes if it is meant" in capsys.readouterr().err
    assert bytes_of(place, "store.db") == before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Whom or what to forget?"),
        (["rt-1", "--athlete", GONE], "Whom or what to forget?"),
        (["--athlete", "a/#"], "is not a valid athlete id"),
        (["--athlete", GONE, "--archive", "nowhere.db"], "There is no archive at nowhere.db"),
    ],
)
def test_what_makes_no_sense_is_refused(place, capsys, arguments, complaint):
    assert main(["forget", *arguments, "--yes", *configured(place)]) == 2
    assert complaint in capsys.readouterr().err
