from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from rolltrack.cli import config_cmd
from rolltrack.config import (
    Config,
    MqttConfig,
    RollerConfig,
    broker_address,
    config_to_toml,
    find_config,
    load_config,
)
from rolltrack.config.exposed import exposed_secrets
from rolltrack.config.loader import parse_config
from rolltrack.errors import UsageError

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty working directory and an empty configuration home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return tmp_path


def test_without_a_file_the_defaults_hold(elsewhere):
    assert find_config() is None
    config = load_config()
    assert config.site == "home"
    assert config.phone.host == "127.0.0.1"
    assert config.mqtt.broker == "embedded"


def test_working_directory_comes_before_the_users_file(elsewhere):
    user_file = elsewhere / "xdg" / "rolltrack" / "config.toml"
    user_file.parent.mkdir(parents=True)
    user_file.write_text('site = "user"')
    assert load_config().site == "user"
    (elsewhere / "rolltrack.toml").write_text('site = "here"')
    assert load_config().site == "here"
    other = elsewhere / "other.toml"
    other.write_text('site = "other"')
    assert load_config(other).site == "other"


def test_a_named_file_must_exist(elsewhere):
    with pytest.raises(UsageError, match=r"nowhere\.toml: no such configuration file"):
        load_config(Path("nowhere.toml"))


def test_file_names_are_relative_to_the_configuration(elsewhere, monkeypatch):
    folder = elsewhere / "etc"
    folder.mkdir()
    (folder / "rolltrack.toml").write_text(
        'protocol = "own.toml"\n[store]\npath = "sessions.db"\n[mqtt]\npassword_file = "~/secret"\n'
        '[archive]\ndatabase = "all.db"\ndatabase_password_file = "pg"\n'
    )
    monkeypatch.setenv("HOME", "/home/somebody")
    config = load_config(Path("etc/rolltrack.toml"))
    assert config.store.path == str(folder / "sessions.db")
    assert config.protocol == str(folder / "own.toml")
    assert config.mqtt.password_file == "/home/somebody/secret"
    assert config.archive.database == str(folder / "all.db")
    assert config.archive.database_password_file == str(folder / "pg")


@pytest.mark.parametrize(
    ("section", "setting"),
    [
        ("mqtt", "password_file"),
        ("mqtt", "key_file"),
        ("mqtt", "certificate_file"),
        ("phone", "token_file"),
        ("archive", "database_password_file"),
    ],
)
@pytest.mark.parametrize(("mode", "exposed"), [(0o600, False), (0o640, True), (0o604, True)])
def test_secrets_that_others_can_read_are_found(elsewhere, section, setting, mode, exposed):
    secret = elsewhere / "secret"
    secret.write_text("open sesame\n")
    secret.chmod(mode)
    change = msgspec.structs.replace
    named = change(getattr(Config(), section), **{setting: str(secret)})
    found = list(exposed_secrets(change(Config(), **{section: named})))
    assert [each.setting for each, _ in found] == [f"{section}.{setting}"] * exposed


def test_a_certificate_beside_its_key_is_for_everybody_to_read(elsewhere):
    for name, mode in (("c.pem", 0o644), ("k.pem", 0o600)):
        (elsewhere / name).touch()
        (elsewhere / name).chmod(mode)
    mqtt = MqttConfig(certificate_file="c.pem", key_file="k.pem", password_file="missing")
    assert list(exposed_secrets(Config(mqtt=mqtt))) == []


def test_the_url_of_a_database_is_no_file_name(elsewhere):
    url = "postgresql://coach@db.example.org/rolltrack?sslmode=verify-full"
    (elsewhere / "rolltrack.toml").write_text(f'[archive]\ndatabase = "{url}"\n')
    assert load_config().archive.database == url


def test_a_binary_file_is_named(elsewhere):
    (elsewhere / "rolltrack.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"rolltrack\.toml: cannot be read"):
        load_config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[session]\n\nidle_sec = 1",
            'x.toml:3: unknown key "idle_sec" in [session]. Did you mean "idle_s"?',
        ),
        (
            "[session]\nfoo = 1",
            'x.toml:2: unknown key "foo" in [session]. Known keys: idle_s.',
        ),
        ("[sesion]", 'x.toml:1: unknown key "sesion" in the file. Did you mean "session"?'),
        (
            '[[rollers]]\nid = "a"\n\n[[rollers]]\nid = "b"\nradius = 1',
            'x.toml:6: unknown key "radius" in [[rollers]]. Did you mean "radius_m"?',
        ),
        (
            '[session]\nidle_s = "long"',
            'x.toml:2: "idle_s" in [session] must be a number, not text in quotes.',
        ),
        ("[session]\nidle_s = inf", 'x.toml:2: "idle_s" in [session] must be a number <= 3600.0.'),
        ("[session]\nidle_s = nan", 'x.toml:2: "idle_s" in [session] must be a number > 0.0.'),
        ("[ble]\nrate_hz = 9", 'x.toml:2: "rate_hz" in [ble] must be a whole number >= 10.'),
        (
            '[[rollers]]\nid = "a"\nradius_m = 75',
            'x.toml:3: "radius_m" in [[rollers]] must be a number <= 1.0.',
        ),
        (
            '[[rollers]]\nid = "a"\nradius_m = 0.0049',
            'x.toml:3: "radius_m" in [[rollers]] must be a number >= 0.005.',
        ),
        (
            "default_radius_m = nan",
            'x.toml:1: "default_radius_m" in the file must be a number >= 0.005.',
        ),
        (
            f"default_radius_m = {'9' * 400}",
            'x.toml:1: "default_radius_m" in the file must be a number of a sensible size.',
        ),
        (f"site = {'9' * 5000}", "x.toml: not TOML: a number has too many digits."),
        (f"site = {'[' * 5000}", "x.toml: not TOML: values are nested too deeply."),
        (
            '[[rollers]]\nid = "Calf Left"',
            'x.toml:2: "id" in [[rollers]] must be 1 to 32 of a-z, 0-9 and -,',
        ),
        (
            '[[rollers]]\nid = "a"\nsensor = "RT-1"',
            'x.toml:3: "sensor" in [[rollers]] must be "serial:…"',
        ),
        (
            "[[rollers]]\nid = 'a'\nshape = 'cube'",
            "x.toml:3: \"shape\" in [[rollers]] cannot be 'cube'.",
        ),
        ("\n[[rollers]]\nregion = 'calf'", 'x.toml:2: [[rollers]] lacks "id".'),
        ("rollers = 3", 'x.toml:1: "rollers" in the file must be tables written [[rollers]],'),
        ("session = 3", 'x.toml:1: "session" in the file must be a table, not a whole number.'),
        ('[[rollers]]\nid = "session"', 'x.toml:2: the id "session" is reserved for a topic.'),
        (
            '[[rollers]]\nid = "a"\n[[rollers]]\nid = "a"',
            'x.toml:4: the id "a" is taken by another of [[rollers]].',
        ),
        (
            '[phone]\nport = 80\nhost = "0.0.0.0"',
            'x.toml:3: "0.0.0.0" can be reached from outside this machine. Set token_file',
        ),
        (
            '[archive]\ndatabase = "postgresql://coach:hunter2@db/x"',
            "x.toml:2: the URL holds a password. Put it into a file of its own",
        ),
        ('[mqtt]\nbroker = "mqtt://b"', 'x.toml:2: "mqtt://b" is not a broker address.'),
        ("site = 'a'\nathlete = ", "x.toml: not TOML: Invalid value (at end of document)."),
        ("site = 'a'\n[x\n", "x.toml:2: not TOML: Expected ']'"),
    ],
)
def test_errors_name_file_line_key_and_remedy(text, message):
    with pytest.raises(UsageError) as caught:
        parse_config(text, "x.toml")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_inline_tables_are_read_and_their_faults_named_without_a_wrong_line():
    assert parse_config("session = {idle_s = 5}", "x.toml").session.idle_s == 5
    with pytest.raises(UsageError, match=r'^x\.toml: unknown key "idle" in \[session\]'):
        parse_config("session = {idle = 5}", "x.toml")


def test_outside_addresses_are_fine_with_a_token():
    config = parse_config('[phone]\nhost = "0.0.0.0"\ntoken_file = "token"', "x.toml")
    assert config.phone.host == "0.0.0.0"


@pytest.mark.parametrize(
    ("broker", "address"),
    [
        ("mosquitto", ("mosquitto", 1883)),
        ("10.0.0.2:8883", ("10.0.0.2", 8883)),
        ("[::1]:1884", ("::1", 1884)),
        ("[::1]", ("::1", 1883)),
    ],
)
def test_broker_addresses(broker, address):
    assert broker_address(broker) == address


@pytest.mark.parametrize(
    "broker", ["", ":1883", "host:", "host:0", "host:65536", "host:x", "a b/c"]
)
def test_broker_addresses_that_are_none(broker):
    with pytest.raises(UsageError, match="is not a broker address"):
        broker_address(broker)


def test_printed_configuration_reads_back_the_same():
    config = parse_config(
        'site = "s"\n[mqtt]\npassword_file = "p"\n[[rollers]]\nid = "a"\nradius_m = 0.05', "x.toml"
    )
    assert parse_config(config_to_toml(config), "again") == config
    assert parse_config(config_to_toml(Config()), "again") == Config()


def test_show_prints_the_effective_configuration_and_never_a_secret(elsewhere):
    (elsewhere / "secret").write_text("hunter2")
    file = elsewhere / "rolltrack.toml"
    file.write_text('site = "gym"\n[mqtt]\npassword_file = "secret"\n')
    shown = CliRunner().invoke(config_cmd.app, ["show"])
    assert shown.exit_code == 0
    assert parse_config(shown.output, "shown") == load_config()
    assert "rolltrack.toml" in shown.output.splitlines()[0]
    assert str(elsewhere / "secret") in shown.output
    assert "hunter2" not in shown.output
    as_json = CliRunner().invoke(config_cmd.app, ["show", "--json", "--config", str(file)])
    assert json.loads(as_json.output)["site"] == "gym"


def documented_keys() -> dict[str, dict[str, str]]:
    """Section -> key -> default, as the tables of docs/configuration.md have it."""
    sections: dict[str, dict[str, str]] = {}
    section = ""
    for line in DOCUMENT.read_text("utf-8").partition("## Every key")[2].splitlines():
        heading = re.fullmatch(r"### `\[+(\w+)\]+`", line)
        row = re.fullmatch(r"\| `(\w+)` \| (.*?) \| .*\|", line)
        if heading:
            section = heading[1]
        elif row:
            sections.setdefault(section, {})[row[1]] = row[2].strip("`")
    return sections


def actual_keys() -> dict[str, dict[str, str]]:
    def shown(value: object) -> str:
        return "not set" if value is None else json.dumps(value)

    raw = msgspec.to_builtins(Config())
    sections = {key: value for key, value in raw.items() if isinstance(value, dict)}
    sections[""] = {key: value for key, value in raw.items() if not isinstance(value, dict | tuple)}
    sections["rollers"] = msgspec.to_builtins(RollerConfig(id="required"))
    keys = {name: {k: shown(v) for k, v in body.items()} for name, body in sections.items()}
    keys["rollers"]["id"] = "required"
    return keys


def test_the_document_names_every_key_and_its_default():
    assert documented_keys() == actual_keys()


def test_the_documented_example_is_valid():
    example = re.search(r"```toml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert example
    assert len(parse_config(example[1], "example").rollers) == 2
