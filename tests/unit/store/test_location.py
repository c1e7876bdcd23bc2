from pathlib import Path

import pytest
from support.postgresql import PASSWORD

from rolltrack.errors import StoreAwayError, StoreError, UsageError
from rolltrack.store.database import open_database
from rolltrack.store.location import location_of


def at(text):
    return location_of(text, what="Archive", setting="archive.database")


def test_a_path_is_an_sqlite_file_in_the_home_directory_if_it_says_so(monkeypatch):
    monkeypatch.setenv("HOME", "/home/coach")
    assert at("~/archive.db").file == Path("/home/coach/archive.db")
    assert str(at("archive.db")) == "Archive archive.db"


def test_a_url_is_never_shown_with_its_password():
    location = at("postgresql://coach@db.example.org:5433/rolltrack").with_password("hunter2")
    assert location.file is None
    assert str(location) == "Archive postgresql://coach:***@db.example.org:5433/rolltrack"
    assert "hunter2" not in repr(location)
    assert location.url.password == "hunter2"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("postgresql://coach:hunter2@db/rolltrack", "holds a password"),
        ("postgresql://coach@db/rolltrack?password=hunter2", "holds a password"),
        ("mysql://db/rolltrack", '"mysql://" cannot be used'),
        ("postgresql://db:hunter2:port/x", "not the URL of a database"),
    ],
)
def test_urls_that_cannot_be_used_are_refused_without_repeating_a_secret(text, complaint):
    with pytest.raises(UsageError, match=complaint) as caught:
        at(text)
    assert "hunter2" not in str(caught.value)
    assert "archive.database" in str(caught.value)


def test_the_password_may_come_from_a_file_or_from_libpqs_environment(cluster, monkeypatch):
    location = at(cluster.over_tcp(cluster.new_database()))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    for wrong in (location, location.with_password("hunter2")):
        with pytest.raises(StoreError, match="does not accept the login") as caught:
            open_database(wrong)
        assert "hunter2" not in str(caught.value)
    open_database(location.with_password(PASSWORD)).dispose()
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    open_database(location).dispose()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgresql://coach@127.0.0.1:1/rolltrack", "the server cannot be reached. Start it"),
        ("postgresql://coach@nowhere.invalid/rolltrack", "the server's name is unknown"),
    ],
)
def test_a_server_that_is_not_there_is_one_line(url, complaint):
    with pytest.raises(StoreError, match=complaint) as caught:
        open_database(at(url))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "complaint"),
    [("require", "does not encrypt as asked"), ("verify-full", "cannot be trusted|as asked")],
)
def test_a_server_without_the_encryption_asked_for_is_refused(cluster, mode, complaint):
    url = f"{cluster.over_tcp(cluster.new_database())}?sslmode={mode}"
    with pytest.raises(StoreError, match=complaint) as caught:
        open_database(at(url).with_password(PASSWORD))
    assert not isinstance(caught.value, StoreAwayError)


def test_a_database_that_is_not_there_is_named(cluster):
    url = cluster.new_database().replace("/d", "/e", 1)
    with pytest.raises(StoreError, match="no such user or database"):
        open_database(at(url))
