"""Encrypted connections to a real mosquitto, and every way in which they can be wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from datetime import timedelta

import pytest
from support import brokers
from support.certificates import DAY, Authority

from rolltrack.broker import mosquitto
from rolltrack.broker.process import BrokerProcess
from rolltrack.cli.main import main
from rolltrack.config import MqttConfig
from rolltrack.errors import UsageError
from rolltrack.mqtt import MqttLink, knock, peer_of
from rolltrack.wire import Message

pytestmark = pytest.mark.broker

HOST = brokers.HOST


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@contextlib.asynccontextmanager
async def encrypted(folder, server, *more):
    """Yield the port of a mosquitto that speaks TLS with this certificate."""
    lines = (
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "allow_anonymous true",
        *more,
    )
    async with brokers.stock_mosquitto(folder, *lines) as (port, _):
        yield port


def config_for(port, authority, **changes):
    return MqttConfig(broker=f"{HOST}:{port}", tls=True, ca_file=str(authority.file), **changes)


def as_client(pair):
    return {"certificate_file": str(pair.certificate), "key_file": str(pair.key)}


@contextlib.contextmanager
def log_lines():
    """Everything rolltrack logs, down to debug, as a queue."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue()

    class Ear(logging.Handler):
        def emit(self, record):
            loop.call_soon_threadsafe(lines.put_nowait, self.format(record))

    ear, log = Ear(), logging.getLogger("rolltrack")
    level = log.level
    log.addHandler(ear)
    log.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        log.removeHandler(ear)
        log.setLevel(level)


async def first_words(config):
    """The first line the link logs about its broker."""
    link = MqttLink(peer_of(config), client_id="test")
    with log_lines() as lines:
        link.start()
        try:
            async with asyncio.timeout(20):
                return await lines.get()
        finally:
            await link.stop()


async def refusals(config):
    """What the service logs and what the doctor says; both must name the same cause."""
    return await first_words(config), await asyncio.to_thread(knock, peer_of(config))


@pytest.mark.parametrize("protocol", ["auto", "5", "3.1.1"])
async def test_messages_travel_encrypted_with_an_authority_of_ones_own(
    tmp_path, authority, protocol
):
    server = authority.issue("broker", HOST, "localhost")
    async with encrypted(tmp_path, server) as port:
        config = config_for(port, authority, protocol=protocol)
        link = MqttLink(peer_of(config), client_id="test")
        received, up = asyncio.Queue(), asyncio.Event()
        link.listen("t/#", received.put_nowait)
        link.when_up(up.set)
        link.start()
        async with asyncio.timeout(20):
            await up.wait()
            link.send(Message("t/x", b"hello"))
            assert (await received.get()).body == b"hello"
        await link.stop()
        assert await asyncio.to_thread(knock, peer_of(config)) is None


async def test_a_client_certificate_lets_us_in(tmp_path, authority):
    server, us = authority.issue("broker", HOST), authority.issue("us")
    wants = ("require_certificate true", f"cafile {authority.file}")
    async with encrypted(tmp_path, server, *wants) as port:
        peer = peer_of(config_for(port, authority, **as_client(us)))
        assert await asyncio.to_thread(knock, peer) is None
        both = tmp_path / "both.pem"
        both.write_bytes(us.certificate.read_bytes() + us.key.read_bytes())
        peer = peer_of(config_for(port, authority, certificate_file=str(both)))
        assert await asyncio.to_thread(knock, peer) is None


@pytest.mark.parametrize("older_tls", [False, True])
async def test_a_broker_that_wants_a_client_certificate_is_named(tmp_path, authority, older_tls):
    server = authority.issue("broker", HOST)
    wants = ["require_certificate true", f"cafile {authority.file}"]
    if older_tls:
        wants.append("tls_version tlsv1.2")
    async with encrypted(tmp_path, server, *wants) as port:
        for said in await refusals(config_for(port, authority)):
            assert "wants a certificate of ours" in said
            assert "mqtt.certificate_file" in said


async def test_a_client_certificate_of_a_stranger_is_named(tmp_path, authority):
    server, us = authority.issue("broker", HOST), Authority(tmp_path, "stranger").issue("us")
    wants = ("require_certificate true", f"cafile {authority.file}")
    async with encrypted(tmp_path, server, *wants) as port:
        for said in await refusals(config_for(port, authority, **as_client(us))):
            assert "does not know who made our certificate" in said


async def test_an_unknown_authority_is_not_trusted(tmp_path, authority):
    async with encrypted(tmp_path, authority.issue("broker", HOST)) as port:
        stranger = Authority(tmp_path, "stranger")
        for config in (
            config_for(port, stranger),
            MqttConfig(broker=f"{HOST}:{port}", tls=True),  # those of the system
        ):
            for said in await refusals(config):
                assert "by an unknown authority" in said
                assert "mqtt.ca_file" in said


async def test_a_certificate_for_another_host_is_not_trusted(tmp_path, authority):
    async with encrypted(tmp_path, authority.issue("broker", "mqtt.example.org")) as port:
        for said in await refusals(config_for(port, authority)):
            assert "certificate is for another host name" in said


@pytest.mark.parametrize(
    ("begins", "ends", "cause"),
    [
        (-2 * DAY, -DAY, "its certificate has expired"),
        (DAY, 2 * DAY, "its certificate is not valid yet"),
    ],
)
async def test_a_certificate_out_of_its_time_is_not_trusted(
    tmp_path, authority, begins, ends, cause
):
    server = authority.issue("broker", HOST, begins=begins, ends=ends)
    async with encrypted(tmp_path, server) as port:
        for said in await refusals(config_for(port, authority)):
            assert cause in said
            assert "clock of this machine" in said


async def test_a_broker_without_tls_is_named(tmp_path, authority):
    async with brokers.stock_mosquitto(tmp_path) as (port, _):
        for said in await refusals(config_for(port, authority)):
            assert "does not speak TLS there" in said


async def test_without_tls_to_a_broker_that_wants_it(tmp_path, authority):
    async with encrypted(tmp_path, authority.issue("broker", HOST)) as port:
        for said in await refusals(MqttConfig(broker=f"{HOST}:{port}")):
            assert "wants TLS" in said
            assert "mqtt.tls" in said


async def test_it_connects_once_the_broker_is_put_right(tmp_path, authority):
    expired = authority.issue("old", HOST, begins=-2 * DAY, ends=-timedelta(hours=1))
    good = authority.issue("new", HOST)
    link = None
    with log_lines() as lines:
        async with encrypted(tmp_path, expired) as port:
            link = MqttLink(peer_of(config_for(port, authority)), client_id="test")
            link.start()
            assert "expired" in await lines.get()
        up = asyncio.Event()
        link.when_up(up.set)
        conf = (tmp_path / "mosquitto.conf").read_text().replace("/old.", "/new.")
        (tmp_path / "mosquitto.conf").write_text(conf)
        assert str(good.certificate) in conf
        command = [mosquitto.find() or "mosquitto", "-c", str(tmp_path / "mosquitto.conf")]
        process = BrokerProcess(command, HOST, port, log=tmp_path / "log")
        await process.start()
        try:
            async with asyncio.timeout(30):
                await up.wait()
        finally:
            await link.stop()
            await process.stop()


def files_that_cannot_work(folder):
    ours, other = Authority(folder), Authority(folder, "other")
    one, two = ours.issue("one"), other.issue("two")
    locked = ours.issue("locked", passphrase=b"open sesame")
    text = folder / "text.pem"
    text.write_text("no certificate at all\n")
    pem = {"certificate_file": str(one.certificate)}
    return {
        "missing authority": ({"ca_file": "/nowhere/ca.pem"}, "Cannot read mqtt.ca_file /nowhere"),
        "folder as authority": ({"ca_file": str(folder)}, "Is a directory"),
        "no authority": ({"ca_file": str(text)}, "holds no certificates"),
        "missing key": ({**pem, "key_file": "/nowhere/k"}, "Cannot read mqtt.key_file /nowhere/k"),
        "key of another": ({**pem, "key_file": str(two.key)}, "is not the key of"),
        "no key": ({**pem, "key_file": str(text)}, "cannot be used: not a certificate"),
        "no key anywhere": (pem, "cannot be used: not a certificate"),
        "locked key": (
            {"certificate_file": str(locked.certificate), "key_file": str(locked.key)},
            "locked with a passphrase",
        ),
        "key alone": ({"key_file": str(one.key)}, "mqtt.certificate_file is not"),
    }


CASES = (
    "missing authority",
    "folder as authority",
    "no authority",
    "missing key",
    "key of another",
    "no key",
    "no key anywhere",
    "locked key",
    "key alone",
)


@pytest.mark.parametrize("case", CASES)
def test_files_that_cannot_work_are_refused_at_start(tmp_path, case):
    settings, complaint = files_that_cannot_work(tmp_path)[case]
    with pytest.raises(UsageError, match=complaint) as caught:
        peer_of(MqttConfig(broker="localhost", tls=True, **settings))
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_service_with_a_broken_file_ends_with_one_line(tmp_path, capsys):
    path = tmp_path / "rolltrack.toml"
    path.write_text(
        "[ble]\nenabled = false\n[store]\npath = 'db'\n"
        "[mqtt]\nbroker = 'localhost'\ntls = true\nca_file = 'ca.pem'\n"
    )
    assert main(["run", "--config", str(path), "--phone"]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith(f"rolltrack: Cannot read mqtt.ca_file {tmp_path / 'ca.pem'}: No such")


async def test_the_doctor_goes_in_with_certificate_and_password(
    tmp_path, authority, monkeypatch, capsys
):
    server, us = authority.issue("broker", HOST), authority.issue("us")
    wants = ("require_certificate true", f"cafile {authority.file}")
    async with encrypted(tmp_path, server, *wants) as port:
        path = tmp_path / "rolltrack.toml"
        path.write_text(
            "[ble]\nenabled = false\n"
            f"[mqtt]\nbroker = '{HOST}:{port}'\ntls = true\nca_file = '{authority.file}'\n"
            f"certificate_file = '{us.certificate}'\nkey_file = '{us.key}'\n"
        )
        await asyncio.to_thread(main, ["doctor", "--json", "--config", str(path)])
        checks = {each["about"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
        assert checks["MQTT broker"]["result"] == "ok"
        assert "over TLS" in checks["MQTT broker"]["found"]


SECRET = "correct-horse-battery"


@pytest.mark.parametrize("source", ["file", "environment"])
async def test_the_password_is_taken_and_never_told(tmp_path, source, monkeypatch, capsys):
    config = MqttConfig(username="rolltrack")
    if source == "file":
        (tmp_path / "secret").write_text(SECRET + "\nsecond line")
        extra = {"password_file": str(tmp_path / "secret")}
    else:
        monkeypatch.setenv("ROLLTRACK_MQTT_PASSWORD", SECRET)
        extra = {}
    async with brokers.mosquitto_with_login(tmp_path, "rolltrack", SECRET) as port:
        config = MqttConfig(broker=f"{HOST}:{port}", username="rolltrack", **extra)
        link = MqttLink(peer_of(config), client_id="test")
        up, told = asyncio.Event(), []
        link.when_up(up.set)
        with log_lines() as lines:
            link.start()
            async with asyncio.timeout(20):
                await up.wait()
            await link.stop()
            while not lines.empty():
                told.append(lines.get_nowait())
        assert told
    told.append(repr(peer_of(config)))
    told.append(repr(link.__dict__) + repr(link._client.__dict__))
    told.append(f"{peer_of(config)!r} {peer_of(config).login}")
    path = tmp_path / "rolltrack.toml"
    file = f"password_file = '{extra['password_file']}'\n" if extra else ""
    path.write_text(f"[mqtt]\nbroker = 'localhost:1'\nusername = 'rolltrack'\n{file}")
    for arguments in (["config", "show"], ["config", "show", "--json"], ["doctor", "--debug"]):
        await asyncio.to_thread(main, [*arguments, "--config", str(path)])
    told.extend(capsys.readouterr())
    assert SECRET not in "".join(told)


async def test_a_wrong_password_is_named_without_being_told(tmp_path):
    (tmp_path / "secret").write_text("wrong-password-here")
    async with brokers.mosquitto_with_login(tmp_path, "rolltrack", SECRET) as port:
        config = MqttConfig(
            broker=f"{HOST}:{port}",
            username="rolltrack",
            password_file=str(tmp_path / "secret"),
        )
        said, refusal = await refusals(config)
    assert "Check mqtt.username" in said
    assert refusal
    assert "wrong-password-here" not in said + refusal


def test_a_password_without_a_user_name_is_refused(monkeypatch):
    monkeypatch.setenv("ROLLTRACK_MQTT_PASSWORD", SECRET)
    with pytest.raises(UsageError, match="ROLLTRACK_MQTT_PASSWORD is set") as e:
        peer_of(MqttConfig(broker="localhost"))
    assert SECRET not in str(e.value)


def test_a_file_counts_more_than_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ROLLTRACK_MQTT_PASSWORD", "from the environment")
    (tmp_path / "secret").write_text("from the file\r\n")
    config = MqttConfig(broker="localhost", username="me", password_file=str(tmp_path / "secret"))
    assert peer_of(config).login.password == "from the file"


def test_the_usual_port_follows_the_encryption():
    assert peer_of(MqttConfig(broker="localhost")).port == 1883
    assert peer_of(MqttConfig(broker="localhost", tls=True)).port == 8883
    assert peer_of(MqttConfig(broker="localhost:1884", tls=True)).port == 1884
