"""Commands over a real broker, from the topic to the session, and every kind of refusal."""

import asyncio
import contextlib
import json
import time
from itertools import count

import pytest
from support import brokers
from support.mqtt_listener import listening
from support.rolling import to_and_fro

from rolltrack.broker import embedded_broker
from rolltrack.config import Config, RollerConfig
from rolltrack.core.events import LinkChanged
from rolltrack.mqtt import MqttLink
from rolltrack.service import run_service
from rolltrack.sinks.mqtt import MqttSink, link_of_site
from rolltrack.sinks.sessions import SessionSink
from rolltrack.sources.mqtt_orders import MqttOrders
from rolltrack.sources.source import Sensor
from rolltrack.store import SessionStore
from rolltrack.wire import Message

pytestmark = pytest.mark.broker

OWN = "rolltrack/v1/home/a/a7k2/rt-1"
SENSOR = Sensor("ble", "RT-1", "Roller", time.time(), 0.075)
CONFIG = Config(rollers=(RollerConfig(id="rt-1", athlete="a7k2"),))
IDS = (f"test-{number}" for number in count())


@pytest.fixture(params=brokers.BOTH)
def kind(request):
    brokers.skip_without(request.param)
    return request.param


class Hand:
    """A source that delivers what the test hands it."""

    name = "hand"

    def __init__(self):
        self.ready = asyncio.Event()

    async def run(self, deliver):
        self.deliver = lambda item: deliver(SENSOR, item)
        self.deliver(LinkChanged(0.0, up=True))
        self.ready.set()
        await asyncio.Event().wait()

    def roll(self, samples, after_s=0.0):
        for start in range(0, len(samples), 10):
            part = samples[start : start + 10]
            self.deliver(type(part)(part.t_s + after_s, part.accel_mps2, part.gyro_radps))


class House:
    """A broker, a service with one roller, and somebody who sends commands and listens."""

    def __init__(self, broker, listener, sender, hand, store):
        self.broker, self.listener, self.hand, self.store = broker, listener, hand, store
        self.sender = sender

    def send(self, name, body=None, *, roller=OWN, **how):
        if body is None or isinstance(body, dict):
            body = json.dumps(
                {"id": next(IDS), "ts": round(time.time() * 1000), **(body or {})}
            ).encode()
        self.sender.send(Message(f"{roller}/cmd/{name}", body, **how))
        return body

    async def ask(self, name, body=None, **how):
        """Send, and wait for the final answer, which is the next one of this command."""
        heard = len(self.listener.messages)
        self.send(name, body, **how)
        answer = await self.listener.until(
            lambda m: (
                m.topic.endswith(f"/cmd-result/{name}")
                and any(m is each for each in self.listener.messages[heard:])
                and m.json()["final"]
            )
        )
        return answer.json()


@contextlib.asynccontextmanager
async def house(kind, folder):
    async with embedded_broker(kind) as broker, listening(broker.port, "#") as listener:
        link = link_of_site(broker.peer, "home")
        store, hand, stop = SessionStore(folder / "s.db"), Hand(), asyncio.Event()
        sender, up = MqttLink(broker.peer, client_id="sender"), asyncio.Event()
        sender.when_up(up.set)
        sender.start()
        service = asyncio.create_task(
            run_service(
                CONFIG,
                sources=[hand],
                sinks=[SessionSink(store), MqttSink(link, "home")],
                stop=stop,
                orders=MqttOrders(link, "home", closed=("homeassistant/",)),
            )
        )
        await hand.ready.wait()
        await up.wait()
        await listener.until_topic("/availability", b"online")
        try:
            yield House(broker, listener, sender, hand, store)
        finally:
            stop.set()
            await service
            await sender.stop()


async def test_start_and_stop_make_a_session_that_is_stored_and_published(kind, tmp_path):
    async with house(kind, tmp_path) as home:
        started = await home.ask("start")
        assert (started["ok"], started["v"]) == (True, 1)
        home.hand.roll(to_and_fro([0.3, -0.3], 0.1).samples)
        stopped = await home.ask("stop")
        published = (await home.listener.until(lambda m: "/session/" in m.topic)).json()
        assert stopped["ok"]
        assert (published["end"], published["strokes"]) == ("user", 2)
    (stored,) = SessionStore(tmp_path / "s.db").newest()
    assert stored.session_id == published["session_id"]


async def test_set_limit_shows_in_state_at_once_and_judges_what_follows(kind, tmp_path):
    async with house(kind, tmp_path) as home:
        answer = await home.ask("set-limit", {"limit_mm_s": 40})
        assert (answer["ok"], answer["limit_mm_s"]) == (True, 40.0)
        await home.listener.until(lambda m: m.leaf == "state" and m.json()["limit_mm_s"] == 40.0)
        home.hand.roll(to_and_fro([0.3, -0.3], 0.06).samples)
        await home.listener.until(lambda m: m.leaf == "alert" and m.json()["limit"] == 40.0)
        await home.ask("stop")
        published = (await home.listener.until(lambda m: "/session/" in m.topic)).json()
    assert (published["limit_mm_s"], published["too_fast_strokes"]) == (40.0, 2)


async def test_calibrate_is_accepted_and_then_tells_the_radius(tmp_path):
    async with house("mosquitto", tmp_path) as home:
        home.send("calibrate", {"id": "cal-1", "distance_mm": 1000})
        accepted = await home.listener.until_topic("/cmd-result/calibrate")
        assert (accepted.json()["ok"], accepted.json()["final"]) == (True, False)
        home.hand.roll(to_and_fro([1.0], 0.15, lead_s=4.0, radius_m=0.07).samples)
        done = await home.listener.until(
            lambda m: m.leaf == "calibrate" and "-result/" in m.topic and m.json()["final"]
        )
    assert done.json()["id"] == accepted.json()["id"] == "cal-1"
    assert done.json()["radius_mm"] == pytest.approx(70.0, rel=0.005)


async def test_the_same_id_twice_acts_once_and_is_answered_twice(kind, tmp_path):
    async with house(kind, tmp_path) as home:
        body = home.send("start", {"id": "once"})
        await home.listener.until_topic("/cmd-result/start")
        await home.ask("stop")
        again = await home.ask("start", body)
        assert (again["id"], again["reason"]) == ("once", "A session has begun.")
        answer = await home.ask("stop")
    assert answer["reason"] == "No session was under way."
    assert len([m for m in home.listener.messages if "/cmd-result/start" in m.topic]) == 2
    assert len([m for m in home.listener.messages if "/session/" in m.topic]) == 1


OLD = round((time.time() - 3600) * 1000)


REFUSED = [
    ("start", {"ts": OLD}, "only 30 s are allowed"),
    ("start", {"ts": OLD + 10 * 3_600_000}, "in the future"),
    ("start", {"ts": "noon"}, '"ts" must be when it was sent'),
    ("start", {"id": ""}, '"id" must be'),
    ("start", {"id": "x" * 65}, '"id" must be'),
    ("start", {"id": 7}, '"id" must be'),
    ("start", {"v": 2}, "Version 2"),
    ("start", b"{}", '"ts" must be'),
    ("start", b"[]", "Not a command"),
    ("start", b"on", "not JSON"),
    ("start", b"\xff\xfe", "not JSON"),
    ("set-limit", {}, '"limit_mm_s" must be a number from 10 to 500'),
    ("set-limit", {"limit_mm_s": 9.9}, "from 10 to 500"),
    ("set-limit", {"limit_mm_s": 501}, "from 10 to 500"),
    ("set-limit", {"limit_mm_s": "fast"}, "from 10 to 500"),
    ("calibrate", {"distance_mm": 10}, "from 200 to 10000"),
]


async def test_what_is_no_command_is_refused_with_a_reason(kind, tmp_path):
    async with house(kind, tmp_path) as home:
        for name, body, reason in REFUSED:
            answer = await home.ask(name, body)
            assert (answer["ok"], answer["final"]) == (False, True), reason
            assert reason in answer["reason"]
        assert (await home.ask("stop"))["reason"] == "No session was under way."


async def test_a_retained_command_is_refused_at_every_start(kind, tmp_path):
    async with embedded_broker(kind) as broker, listening(broker.port, "#") as listener:
        sender = MqttLink(broker.peer, client_id="sender")
        delivered, up = asyncio.Event(), asyncio.Event()
        sender.when_up(up.set)
        sender.when_delivered(lambda _: delivered.set())
        sender.start()
        await up.wait()
        body = json.dumps({"id": "kept", "ts": round(time.time() * 1000)}).encode()
        sender.send(Message(f"{OWN}/cmd/start", body, retain=True))
        await delivered.wait()
        link, hand, stop = link_of_site(broker.peer, "home"), Hand(), asyncio.Event()
        service = asyncio.create_task(
            run_service(
                CONFIG,
                sources=[hand],
                sinks=[MqttSink(link, "home")],
                stop=stop,
                orders=MqttOrders(link, "home"),
            )
        )
        answer = (await listener.until_topic("/cmd-result/start")).json()
        stop.set()
        await service
        await sender.stop()
    assert (answer["id"], answer["ok"]) == ("kept", False)
    assert "without retain" in answer["reason"]


async def test_a_roller_nobody_has_seen_is_said_to_be_unknown(kind, tmp_path):
    async with house(kind, tmp_path) as home:
        for roller in (OWN.replace("rt-1", "rt-9"), OWN.replace("a7k2", "b3m9")):
            answer = await home.ask("stop", roller=roller)
            assert not answer["ok"]
            assert "has no roller" in answer["reason"]


async def test_an_mqtt_5_sender_gets_its_answer_where_it_wants_it(tmp_path):
    brokers.skip_without("mosquitto")
    async with house("mosquitto", tmp_path) as home:
        home.send("start", response_topic="replies/42", correlation=b"7")
        elsewhere = await home.listener.until(lambda m: m.topic == "replies/42")
        assert elsewhere.json()["ok"]
        await home.listener.until_topic("/cmd-result/start")
        inside = f"{OWN}/cmd-result/stop/phone"
        home.send("stop", response_topic=inside)
        await home.listener.until(lambda m: m.topic == inside)


async def test_an_answer_forges_nothing(tmp_path):
    """A sender may not have the service write where the sender could not."""
    brokers.skip_without("mosquitto")
    places = [
        "rolltrack/v1/home/a/b3m9/rt-2/alert",
        "rolltrack/v1/home/bridge/info",
        "homeassistant/device/rolltrack_rt-1/config",
    ]
    async with house("mosquitto", tmp_path) as home:
        for place in places:
            assert (await home.ask("start", response_topic=place))["ok"]
        home.send("stop", response_topic="replies/last")
        await home.listener.until(lambda m: m.topic == "replies/last")
        heard = [m.topic for m in home.listener.messages if b'"final"' in m.body]
    assert set(heard) == {f"{OWN}/cmd-result/start", f"{OWN}/cmd-result/stop", "replies/last"}


async def test_what_could_not_be_answered_on_a_valid_topic_is_left(kind, tmp_path, caplog):
    async with house(kind, tmp_path) as home:
        home.send("dance")
        home.send("stop", roller=OWN.replace("rt-1", "Rt 1"))
        assert (await home.ask("stop"))["reason"] == "No session was under way."
        heard = [m.topic for m in home.listener.messages if b'"final"' in m.body]
    assert heard == [f"{OWN}/cmd-result/stop"]
    assert caplog.text.count("no such command") == 2
