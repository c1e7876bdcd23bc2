"""Home Assistant's side of the broker: announcements, its birth, and a roller that is forgotten."""

import asyncio
import json

import pytest
from support import brokers
from support import sample_events as sample
from support.mqtt_listener import listening

from rolltrack.broker import embedded_broker
from rolltrack.cli.main import main
from rolltrack.core.events import LinkChanged
from rolltrack.mqtt import MqttLink, Peer
from rolltrack.sinks.home_assistant import HomeAssistantSink
from rolltrack.sinks.mqtt import MqttSink, link_of_site
from rolltrack.sinks.mqtt_forget import forget_roller
from rolltrack.wire import Message

pytestmark = pytest.mark.broker

CONFIG = "homeassistant/device/rolltrack_rt-3f2a/config"
ROLLER = "rolltrack/v1/home/a/a7k2/rt-3f2a"


@pytest.fixture(params=brokers.BOTH)
def kind(request):
    brokers.skip_without(request.param)
    return request.param


class Publisher:
    """Both sinks on one link, as the service has them."""

    def __init__(self, peer, prefix="homeassistant"):
        link = link_of_site(peer, "home")
        self.sinks = [MqttSink(link, "home"), HomeAssistantSink(link, "home", prefix)]

    async def __aenter__(self):
        for sink in self.sinks:
            await sink.open()
        return self

    async def __aexit__(self, *_):
        for sink in reversed(self.sinks):
            await sink.close()

    async def play(self, *events):
        for event in events:
            for sink in self.sinks:
                await sink.handle(sample.ROLLER, event)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr("rolltrack.sinks.home_assistant.SPREAD_S", 0.05)


async def test_a_roller_is_announced_once_and_stays_announced(kind):
    async with embedded_broker(kind) as broker:
        async with listening(broker.port, "#") as listener, Publisher(broker.peer) as publisher:
            await publisher.play(LinkChanged(0.0, up=True), sample.started(), sample.live())
            announced = await listener.until(lambda m: m.topic == CONFIG)
            await publisher.play(sample.ended())
            await listener.until_topic("/last-session")
        assert len([m for m in listener.messages if m.topic == CONFIG]) == 1
        async with listening(broker.port, "#") as late:
            kept = await late.until(lambda m: m.topic == CONFIG)
            status = await late.until_topic("/bridge/status")
            availability = await late.until_topic("/availability")
    assert (announced.qos, kept.retain, kept.body) == (1, True, announced.body)
    assert (status.body, status.retain) == (b"offline", True)
    assert (availability.body, availability.retain) == (b"offline", True)
    assert json.loads(kept.body)["device"]["identifiers"] == ["rolltrack_rt-3f2a"]


async def test_a_roller_seen_before_there_is_a_broker_is_announced_when_there_is():
    port = brokers.free_port()
    async with Publisher(Peer("127.0.0.1", port)) as publisher:
        await publisher.play(LinkChanged(0.0, up=True))
        async with embedded_broker(port=port), listening(port, "#") as listener:
            await listener.until(lambda m: m.topic == CONFIG)


async def test_home_assistant_starting_again_is_told_again(kind):
    async with (
        embedded_broker(kind) as broker,
        Publisher(broker.peer) as publisher,
        listening(broker.port, "#") as listener,
    ):
        await publisher.play(LinkChanged(0.0, up=True))
        first = await listener.until(lambda m: m.topic == CONFIG)
        await say(broker.peer, "homeassistant/status", b"offline")
        await say(broker.peer, "homeassistant/status", b"online")
        again = await listener.until(lambda m: m.topic == CONFIG and m is not first)
    assert again.body == first.body


async def test_another_prefix_is_used_for_everything():
    async with (
        embedded_broker() as broker,
        Publisher(broker.peer, "ha/found") as publisher,
        listening(broker.port, "ha/#") as listener,
    ):
        await publisher.play(LinkChanged(0.0, up=True))
        first = await listener.until_topic("ha/found/device/rolltrack_rt-3f2a/config")
        await say(broker.peer, "ha/found/status", b"online")
        await listener.until(lambda m: m.topic == first.topic and m is not first)


async def test_a_forgotten_roller_leaves_nothing_and_the_rest_stays(kind):
    async with embedded_broker(kind) as broker:
        async with Publisher(broker.peer) as publisher, listening(broker.port, "#") as listener:
            await publisher.play(LinkChanged(0.0, up=True), sample.live(), sample.ended())
            await say(broker.peer, f"{ROLLER}/cmd/start", b"{}", retain=True)
            for ending in ("/config", "/last-session", "/state", "/cmd/start"):
                await listener.until_topic(ending)
        link = MqttLink(broker.peer, client_id="forget")
        forgotten = await forget_roller(link, "home", "rt-3f2a", "homeassistant")
        again = MqttLink(broker.peer, client_id="forget")
        nothing = await forget_roller(again, "home", "rt-3f2a", "homeassistant")
        async with listening(broker.port, "rolltrack/#") as late:
            await late.until_topic("/last-session")
            await late.until_topic("/bridge/info")
    assert forgotten.topics == {
        CONFIG,
        *(f"{ROLLER}/{leaf}" for leaf in ("availability", "state", "cmd/start")),
    }
    assert not forgotten.service_online
    assert nothing.topics == set()
    assert not any("rt-3f2a/" in message.topic for message in late.messages)


async def test_a_running_service_is_pointed_out():
    async with embedded_broker() as broker, Publisher(broker.peer):
        async with listening(broker.port) as listener:
            await listener.until_topic("/bridge/status", b"online")
        link = MqttLink(broker.peer, client_id="forget")
        assert (await forget_roller(link, "home", "rt-1", "homeassistant")).service_online


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["rt-1"], 2, "embedded broker keeps nothing"),
        (["Roller 1", "--mqtt", "127.0.0.1:9"], 2, "not a valid roller id"),
        (["session", "--mqtt", "127.0.0.1:9"], 2, "reserved"),
        (["rt-1", "--mqtt", "127.0.0.1:9"], 1, "does not answer"),
    ],
)
def test_what_cannot_be_forgotten_is_said_in_a_line(
    arguments, code, complaint, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rolltrack.sinks.mqtt_forget.PATIENCE_S", 0.3)
    assert main(["forget", *arguments]) == code
    assert complaint in capfd.readouterr().err


async def say(peer, topic, body, *, retain=False):
    """As another program of the house would."""
    link = MqttLink(peer, client_id="somebody")
    delivered, up = asyncio.Event(), asyncio.Event()
    link.when_up(up.set)
    link.when_delivered(lambda _: delivered.set())
    link.start()
    await up.wait()
    link.send(Message(topic, body, retain=retain))
    await delivered.wait()
    await link.stop()
