"""`rolltrack broker acl`: what it writes, keeps, removes and refuses."""

from __future__ import annotations

import json
import os
import stat
import subprocess

import pytest
from support import brokers
from support.accounts import Visitor, running
from support.certificates import Authority

from rolltrack.broker.acl_file import parse_passwords
from rolltrack.broker.passwords import Hashed
from rolltrack.cli.main import main
from rolltrack.config import MqttConfig
from rolltrack.mqtt import knock, peer_of


@pytest.fixture
def out(tmp_path):
    return tmp_path / "broker"


@pytest.fixture
def acl(out, capsys):
    """Run the command; return what became of each account."""

    def run(*arguments, code=0):
        command = ["broker", "acl", "--out", str(out), "--json", *arguments]
        assert main(command) == code
        said = capsys.readouterr()
        if code:
            return said.err
        return {each["name"]: each["change"] for each in json.loads(said.out)["accounts"]}

    return run


def secrets(out):
    return {file.name: file.read_text() for file in (out / "logins").iterdir()}


MODES = pytest.mark.parametrize("mode", [(), ("--dynamic-security",)], ids=["acl", "dynamic"])


@MODES
def test_again_keeps_every_password_and_follows_who_comes_and_goes(acl, out, mode):
    first = acl("--athlete", "a7k2", "--coach", "maria:a7k2", *mode)
    assert set(first.values()) == {"new"}
    assert {"site-home", "athlete-a7k2", "coach-maria"} <= set(first)
    before, logins = snapshot(out), secrets(out)
    assert set(acl("--athlete", "a7k2", "--coach", "maria:a7k2", *mode).values()) == {"kept"}
    assert snapshot(out) == before
    later = acl("--athlete", "a7k2", "--athlete", "b3m9", *mode)
    assert later["athlete-b3m9"] == "new"
    assert later["coach-maria"] == "removed"
    assert later["athlete-a7k2"] == "kept"
    kept = secrets(out)
    assert "coach-maria" not in kept
    assert kept["athlete-a7k2"] == logins["athlete-a7k2"]
    assert "maria" not in "".join(snapshot(out).values())


def snapshot(out):
    return {file.name: file.read_text() for file in out.iterdir() if file.is_file()}


def test_a_password_that_was_handed_out_stays_valid(acl, out):
    acl("--athlete", "a7k2")
    before = snapshot(out)["passwords"]
    (out / "logins" / "athlete-a7k2").unlink()
    assert acl("--athlete", "a7k2")["athlete-a7k2"] == "kept"
    assert snapshot(out)["passwords"] == before
    assert not (out / "logins" / "athlete-a7k2").exists()


def test_one_password_can_be_renewed(acl, out):
    acl("--athlete", "a7k2")
    before = secrets(out)
    assert acl("--athlete", "a7k2", "--new-password", "athlete-a7k2") == {
        "site-home": "kept",
        "athlete-a7k2": "renewed",
    }
    after = secrets(out)
    assert after["athlete-a7k2"] != before["athlete-a7k2"]
    assert after["site-home"] == before["site-home"]
    assert "There is no account athlete-x." in acl("--new-password", "athlete-x", code=2)


def test_changing_to_dynamic_security_and_back_keeps_the_passwords(acl, out):
    acl("--athlete", "a7k2")
    before = parse_passwords((out / "passwords").read_text())
    assert acl("--athlete", "a7k2", "--dynamic-security")["athlete-a7k2"] == "kept"
    assert not (out / "passwords").exists()
    assert not (out / "acl").exists()
    assert acl("--athlete", "a7k2") == {
        "site-home": "kept",
        "athlete-a7k2": "kept",
        "admin": "removed",
    }
    assert parse_passwords((out / "passwords").read_text()) == before
    assert not (out / "dynamic-security.json").exists()


def test_what_others_made_with_mosquitto_ctrl_stays(acl, out):
    acl("--dynamic-security")
    file = out / "dynamic-security.json"
    document = json.loads(file.read_text())
    document["clients"].append({"username": "camera", "roles": [{"rolename": "video"}]})
    document["roles"].append({"rolename": "video", "acls": []})
    document["groups"] = [{"groupname": "machines", "clients": []}]
    file.write_text(json.dumps(document))
    acl("--dynamic-security", "--athlete", "a7k2")
    after = json.loads(file.read_text())
    assert "camera" in [client["username"] for client in after["clients"]]
    assert "video" in [role["rolename"] for role in after["roles"]]
    assert after["groups"] == document["groups"]


def test_a_damaged_file_is_not_overwritten(acl, out):
    acl("--dynamic-security")
    (out / "dynamic-security.json").write_text('{"clients": "none"}')
    assert "is not a file of mosquitto's plugin" in acl("--dynamic-security", code=3)
    assert (out / "dynamic-security.json").read_text() == '{"clients": "none"}'


@pytest.mark.broker
def test_an_administrator_changes_accounts_while_the_broker_runs(acl, out):
    acl("--dynamic-security", "--listen", f"127.0.0.1:{brokers.free_port()}")
    with running(out) as (port, _):
        login = [
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-u",
            "admin",
            "-P",
            secrets(out)["admin"].strip(),
        ]
        command = ["mosquitto_ctrl", *login, "dynsec", "disableClient", "site-home"]
        subprocess.run(command, check=True, capture_output=True)
        with Visitor(port, "site-home", secrets(out)["site-home"].strip()) as service:
            assert service.reason.is_failure


def test_every_file_is_for_its_owner_only(acl, out):
    old = os.umask(0)
    try:
        acl("--athlete", "a7k2")
        acl("--dynamic-security", "--athlete", "a7k2")
    finally:
        os.umask(old)
    for path in (out, *out.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_passwords_are_long_different_and_never_printed(out, capsys):
    people = ["--athlete", "a7k2", "--athlete", "b3m9", "--archive", "main", "--home-assistant"]
    assert main(["broker", "acl", "--out", str(out), *people]) == 0
    printed = "".join(capsys.readouterr())
    passwords = [text.strip() for text in secrets(out).values()]
    assert len(set(passwords)) == 5
    assert all(len(password) >= 24 for password in passwords)
    in_files = "".join(snapshot(out).values())
    assert not any(password in printed + in_files for password in passwords)


def test_hashes_are_those_of_mosquitto_passwd(tmp_path):
    if not brokers.mosquitto.find():
        brokers.skip_without("mosquitto")
    file = tmp_path / "theirs"
    subprocess.run(["mosquitto_passwd", "-b", "-c", file, "me", "open sesame"], check=True)
    theirs = parse_passwords(file.read_text())["me"]
    assert theirs.is_of("open sesame")
    assert not theirs.is_of("open sesame!")
    ours = Hashed.of("open sesame")
    assert Hashed.parse(str(ours)) == ours
    assert "sesame" not in repr(ours)


@pytest.mark.parametrize("text", ["", "plain", "$6$salt$hash", "$7$x$AAAA$AAAA", "$7$1$*$AAAA"])
def test_other_hashes_are_left_alone(text):
    assert Hashed.parse(text) is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--listen", "0.0.0.0:1883"], "passwords would cross the network unencrypted"),
        (["--listen", "mqtt.example.org"], "passwords would cross the network unencrypted"),
        (["--listen", "a:b:c"], "is not a broker address"),
        (["--tls-key", "k.pem"], "need --tls-certificate"),
        (["--tls-certificate", "none.pem"], "TLS files cannot be used: No such file"),
        (["--coach", "maria"], "names no athlete. Write it like maria:a7k2"),
        (["--athlete", "Alice Smith"], '"Alice Smith" is not a valid athlete id'),
        (["--athlete", "a/#"], '"a/#" is not a valid athlete id'),
        (["--coach", "maria:+"], '"+" is not a valid athlete id'),
        (["--site", "#"], '"#" is not a valid site id'),
        (["--archive", "x y"], '"x y" is not a valid archive id'),
        (["--sensor", "session"], 'roller id "session" is reserved'),
        (["--dynamic-security", "--plugin", "none.so"], "plugin is not installed here"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(acl, out, arguments, complaint):
    assert complaint in acl(*arguments, code=2)
    assert not out.exists()


def test_the_network_unencrypted_only_when_asked_for(acl, out):
    acl("--listen", "0.0.0.0:1884", "--plain")
    assert "listener 1884 0.0.0.0" in (out / "mosquitto.conf").read_text()


@pytest.mark.broker
@MODES
def test_a_service_comes_in_with_what_was_written(acl, out, tmp_path, mode):
    authority = Authority(tmp_path)
    server, us = authority.issue("broker", brokers.HOST), authority.issue("us")
    port = brokers.free_port()
    acl(
        *("--listen", f"{brokers.HOST}:{port}", "--client-ca", str(authority.file), *mode),
        *("--tls-certificate", str(server.certificate), "--tls-key", str(server.key)),
    )
    config = MqttConfig(
        broker=f"{brokers.HOST}:{port}",
        tls=True,
        ca_file=str(authority.file),
        certificate_file=str(us.certificate),
        key_file=str(us.key),
        username="site-home",
        password_file=str(out / "logins" / "site-home"),
    )
    with running(out):
        assert knock(peer_of(config)) is None
        (tmp_path / "wrong").write_text("wrong")
        wrong = config.__class__(
            **{key: getattr(config, key) for key in config.__struct_fields__}
            | {"password_file": str(tmp_path / "wrong")}
        )
        assert "authori" in knock(peer_of(wrong)).lower()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_as_root_the_files_belong_to_the_owner_of_the_folder(acl, out):
    out.mkdir()
    os.chown(out, 65534, 65534)
    acl("--athlete", "a7k2")
    assert {path.stat().st_uid for path in out.iterdir() if path.is_file()} == {65534}
    assert (out / "logins" / "athlete-a7k2").stat().st_uid == 0
