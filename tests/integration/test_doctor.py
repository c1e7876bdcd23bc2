"""`rolltrack doctor`: what is broken is named, with what to do, and an exit code."""

from __future__ import annotations

import json
import socket
import sys

import pytest

from rolltrack.cli.main import main


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return ["--config", str(path)]

    return write


def diagnosis(capsys, *arguments):
    exit_code = main(["doctor", "--json", *arguments])
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] == (exit_code == 0)
    assert exit_code in {0, 1}
    for check in document["checks"]:
        assert check["result"] == "ok" or check["advice"]
    return exit_code, {check["about"]: check for check in document["checks"]}


def test_without_configuration_a_first_run_works(capsys):
    exit_code, checks = diagnosis(capsys)
    assert exit_code == 0
    assert checks["demo"]["result"] == "ok"
    assert checks["clock"]["result"] == "ok"
    assert "broken" not in {check["result"] for check in checks.values()}


def test_the_table_for_people_names_every_check(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    for about in (
        "configuration",
        "Bluetooth",
        "MQTT broker",
        "secrets",
        "session store",
        "demo",
        "clock",
    ):
        assert about in text


def test_a_mistake_in_the_configuration_is_found(capsys, config):
    exit_code, checks = diagnosis(capsys, *config("[ble]\nlnk = 'os'\n"))
    assert exit_code == 1
    assert checks["configuration"]["result"] == "broken"
    assert "lnk" in checks["configuration"]["found"]
    assert "link" in checks["configuration"]["advice"]


def test_a_hub_that_does_not_answer_is_broken(capsys, config):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        link = f"tcp:127.0.0.1:{unused.getsockname()[1]}"
        exit_code, checks = diagnosis(capsys, *config(f"[ble]\nlink = '{link}'\n"))
    assert exit_code == 1
    assert checks["Bluetooth"]["result"] == "broken"
    assert link in checks["Bluetooth"]["found"]


def test_a_broker_that_is_not_there_is_broken(capsys, config):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        exit_code, checks = diagnosis(
            capsys, *config(f"[ble]\nenabled = false\n[mqtt]\nbroker = '{address}'\n")
        )
    assert exit_code == 1
    assert checks["MQTT broker"]["result"] == "broken"
    assert "refused" in checks["MQTT broker"]["found"]


def test_a_missing_password_file_is_named(capsys, config):
    exit_code, checks = diagnosis(
        capsys,
        *config(
            "[ble]\nenabled = false\n"
            "[mqtt]\nbroker = 'localhost'\nusername = 'me'\npassword_file = 'secret'\n"
        ),
    )
    assert exit_code == 1
    assert "secret" in checks["MQTT broker"]["found"]


def test_a_secret_that_others_can_read_is_named_with_what_to_do(capsys, config, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("open sesame\n")
    options = config("[ble]\nenabled = false\n[phone]\ntoken_file = 'token'\n")
    secret.chmod(0o640)
    exit_code, checks = diagnosis(capsys, *options)
    assert exit_code == 0
    assert checks["secrets"]["result"] == "unsafe"
    assert f"phone.token_file {secret}" in checks["secrets"]["found"]
    assert checks["secrets"]["advice"] == f"chmod 600 {secret}"
    secret.chmod(0o600)
    _, checks = diagnosis(capsys, *options)
    assert checks["secrets"]["result"] == "ok"


def test_a_store_that_cannot_be_written_is_broken(capsys, config, tmp_path):
    folder = tmp_path / "folder.db"
    folder.mkdir()
    exit_code, checks = diagnosis(
        capsys, *config(f"[ble]\nenabled = false\n[store]\npath = '{folder}'\n")
    )
    assert exit_code == 1
    assert checks["session store"]["result"] == "broken"


def test_missing_parts_of_the_demo_are_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "bumble", None)  # as if it were not installed
    exit_code, checks = diagnosis(capsys)
    assert exit_code == 1
    assert "rolltrack[sim]" in checks["demo"]["advice"]
