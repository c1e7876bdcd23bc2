"""`rolltrack mqtt` beside a real session on a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys

import pytest
from support import brokers
from support import sample_events as sample
from support.mqtt_listener import hearing_mqtt_5

from rolltrack.broker import embedded_broker
from rolltrack.cli.main import main
from rolltrack.cli.mqtt_check import check_broker
from rolltrack.core.events import LinkChanged
from rolltrack.mqtt import MqttLink
from rolltrack.sinks.home_assistant import HomeAssistantSink
from rolltrack.sinks.mqtt import MqttSink, link_of_site
from rolltrack.wire import Message
from rolltrack.wire.catalogue import KINDS, find_kind

pytestmark = [pytest.mark.broker, pytest.mark.process]

ROLLER = "rolltrack/v1/home/a/a7k2/rt-3f2a"


async def play(broker) -> None:
    """A session from its link to its end, announcements included."""
    link = link_of_site(broker.peer, "home")
    up = asyncio.Event()
    link.when_up(up.set)
    sinks = [MqttSink(link, "home"), HomeAssistantSink(link, "home")]
    for sink in sinks:
        await sink.open()
    await up.wait()
    for event in (
        LinkChanged(t_s=0.0, up=True),
        sample.started(),
        sample.live(),
        sample.stroke_ended(1, too_fast=True),
        sample.alert(),
        sample.ended(),
    ):
        for sink in sinks:
            await sink.handle(sample.ROLLER, event)
    for sink in reversed(sinks):
        await sink.close()


async def send(broker, *messages: Message) -> None:
    link = MqttLink(broker.peer, client_id="forger")
    up, done = asyncio.Event(), asyncio.Queue()
    link.when_up(up.set)
    link.when_delivered(done.put_nowait)
    link.start()
    await up.wait()
    for message in messages:
        link.send(message)
        await done.get()
    await link.stop()


@pytest.mark.parametrize("kind", brokers.BOTH)
async def test_a_session_is_as_documented(kind):
    brokers.skip_without(kind)
    async with embedded_broker(kind) as broker:
        listening = asyncio.Event()
        checking = asyncio.create_task(
            check_broker(broker.peer, None, 3.0, when_listening=listening.set)
        )
        await listening.wait()
        await play(broker)
        report = await checking
    assert report.violations == ()
    assert report.messages >= 8


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (Message(f"{ROLLER}/secret", b"1", retain=True), "no such topic"),
        (Message(f"{ROLLER}/state", b"no JSON", retain=True), "malformed"),
        (Message(f"{ROLLER}/state", b'{"v":1}', retain=True), "ts"),
        (Message(f"{ROLLER}/availability", b"maybe", retain=True), "none of: online, offline"),
        (Message(f"{ROLLER}/live", b'{"v":1}', retain=True), "retained and should not be"),
        (Message("rolltrack/v1/home/imu/3/rt-1", b"{}", retain=True), "retained"),
        (
            Message("homeassistant/device/rolltrack_x/config", b'{"dev":{}}', retain=True),
            "lacks origin, components",
        ),
    ],
)
async def test_what_does_not_fit_is_named(message, complaint):
    async with embedded_broker() as broker:
        await send(broker, message)
        report = await check_broker(broker.peer, None, 1.0)
    (violation,) = report.violations
    assert violation.topic == message.topic
    assert complaint in violation.what


async def test_other_peoples_topics_are_their_business():
    async with embedded_broker() as broker:
        await send(
            broker,
            Message("zigbee2mqtt/lamp", b"1", retain=True),
            Message("homeassistant/device/lamp/config", b"x", retain=True),
        )
        report = await check_broker(broker.peer, None, 1.0)
    assert (report.messages, report.violations) == (0, ())


async def test_the_commands_say_it_in_words_and_in_json(capsys):
    async with embedded_broker() as broker:
        where = ("--broker", f"{broker.host}:{broker.port}")
        await send(broker, Message(f"{ROLLER}/secret", b"1", retain=True))
        code = await asyncio.to_thread(main, ["mqtt", "check", *where, "--seconds", "1"])
        assert code == 1
        assert f"{ROLLER}/secret: there is no such topic." in capsys.readouterr().out
        code = await asyncio.to_thread(main, ["mqtt", "check", *where, "--seconds", "1", "--json"])
        assert code == 1
        assert json.loads(capsys.readouterr().out)["violations"][0]["topic"] == f"{ROLLER}/secret"


async def watch(broker, *options: str) -> asyncio.subprocess.Process:
    where = ("--broker", f"{broker.host}:{broker.port}", "--lang", "en")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rolltrack", "mqtt", "watch", *where, *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_watching_in_vain_says_so():
    async with embedded_broker() as broker:
        process = await watch(broker, "--seconds", "1")
        told, said = await process.communicate()
    assert (process.returncode, told) == (0, b"")
    assert b"Rollers heard of: 0. No strokes or alerts yet." in said


async def test_watching_tells_strokes_alerts_and_sessions():
    async with embedded_broker() as broker:
        await send(broker, Message(f"{ROLLER}/availability", b"online", retain=True))
        in_json = await watch(broker, "--json")
        first = await in_json.stdout.readline()  # what is retained, so it has subscribed
        in_words = await watch(broker)
        heard = [json.loads(first)]
        said = ""
        for _ in range(50):  # until the one without a terminal has connected, too
            await play(broker)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    said = (await in_words.stdout.readline()).decode()
            if said:
                break
        lines = [said, *[(await in_words.stdout.readline()).decode() for _ in range(2)]]
        while heard[-1]["topic"] != "rolltrack/v1/home/a/a7k2/last-session":
            heard.append(json.loads(await in_json.stdout.readline()))
        for process in (in_json, in_words):
            process.send_signal(signal.SIGINT)
            _, complaint = await process.communicate()
            assert (process.returncode, complaint) == (0, b"")
    assert "stroke 1" in lines[0]
    assert "±" in lines[0]
    assert "too fast" in lines[0]
    assert "faster than your protocol's target" in lines[1]
    assert "session: 96 strokes" in lines[2]
    assert {find_kind(each["topic"])[0].name for each in heard} >= {"stroke", "session", "state"}


def test_without_a_broker_it_asks_which(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["mqtt", "check"]) == 2
    assert "--broker" in capsys.readouterr().err


async def test_mqtt_5_carries_schema_and_expiry_of_every_message():
    brokers.skip_without("mosquitto")
    heard, over = [], False
    async with (
        embedded_broker("mosquitto") as broker,
        hearing_mqtt_5(broker.port, "rolltrack/#") as seen,
    ):
        await play(broker)
        async with asyncio.timeout(20):
            while not over:
                heard.append(await seen.get())
                over = heard[-1].topic.endswith("bridge/status")
                over &= heard[-1].payload == b"offline"
    names = set()
    for message in heard:
        kind, _ = find_kind(message.topic)
        names.add(kind.name)
        properties = message.properties
        if kind.payload:
            assert properties.ContentType == "application/json"
            assert ("schema", kind.schema) in properties.UserProperty
        if kind.expiry_s:
            assert 0 < properties.MessageExpiryInterval <= kind.expiry_s
    asked = {k.name for k in KINDS if k.publisher == "service"} - {"cmd-result"}
    assert names == asked
