"""The MQTT sink against real brokers that are absent, die, refuse, or are no brokers at all."""

import asyncio
import logging
import sys

import pytest
from support import brokers
from support import sample_events as sample
from support.mqtt_listener import listening

from rolltrack.broker import embedded_broker
from rolltrack.config import MqttConfig
from rolltrack.core.events import LinkChanged
from rolltrack.errors import UsageError
from rolltrack.mqtt import Peer, peer_of
from rolltrack.sinks.mqtt import MqttSink, link_of_site

pytestmark = pytest.mark.broker

SITE = "rolltrack/v1/home"
ROLLER = f"{SITE}/a/a7k2/rt-3f2a"


@pytest.fixture(params=brokers.BOTH)
def kind(request):
    brokers.skip_without(request.param)
    return request.param


def new_sink(port, **config):
    peer = peer_of(MqttConfig(broker=f"127.0.0.1:{port}", **config))
    return MqttSink(link_of_site(peer, "home"), "home")


async def play(sink, *events):
    for event in events:
        await sink.handle(sample.ROLLER, event)


def session_id(number):
    return f"019ab2f1-7c3a-7d10-8a51-{number:012d}"


async def test_a_session_appears_on_the_topics_of_the_contract(kind):
    async with embedded_broker(kind) as broker, listening(broker.port) as listener:
        sink = new_sink(broker.port)
        await sink.open()
        await listener.until_topic("/bridge/status", b"online")
        await play(
            sink,
            LinkChanged(t_s=0.0, up=True),
            sample.started(),
            sample.live(),
            sample.alert(),
            sample.stroke_ended(1, too_fast=True),
            sample.ended(),
        )
        session = await listener.until_topic(f"/session/{sample.SESSION_ID}")
        await listener.until(lambda m: m.leaf == "state" and m.json()["state"] == "idle")
        await sink.close()
        await listener.until_topic("/bridge/status", b"offline")
        topics = {message.topic for message in listener.messages}
    assert session.json()["mean_mm_s"] == 38.4
    assert topics == {
        f"{SITE}/bridge/status",
        f"{SITE}/bridge/info",
        f"{SITE}/a/a7k2/session/{sample.SESSION_ID}",
        f"{SITE}/a/a7k2/last-session",
        *(f"{ROLLER}/{leaf}" for leaf in ("availability", "state", "live", "alert", "stroke")),
    }


async def test_a_late_joiner_gets_what_is_retained_and_nothing_else(kind):
    async with embedded_broker(kind) as broker:
        sink = new_sink(broker.port)
        await sink.open()
        await play(sink, LinkChanged(t_s=0.0, up=True), sample.live(), sample.ended())
        await sink.close()
        async with listening(broker.port) as listener:
            await listener.until_topic("/last-session")
            await listener.until_topic("/state")
            await listener.until_topic("/availability", b"offline")
            await listener.until_topic("/bridge/info")
            await listener.until_topic("/bridge/status", b"offline")
        assert all(message.retain for message in listener.messages)
        assert len(listener.messages) == 5


async def test_how_the_service_fares_is_told(monkeypatch):
    monkeypatch.setattr("rolltrack.sinks.mqtt.REPORT_S", 0.05)
    dropped = 0
    async with embedded_broker() as broker, listening(broker.port) as listener:
        sink = MqttSink(
            link_of_site(broker.peer, "home"), "home", {"live_dropped": lambda: dropped}
        )
        await sink.open()
        first = await listener.until_topic("/bridge/info")
        assert first.json()["counters"]["live_dropped"] == 0
        dropped = 7
        await listener.until(
            lambda m: m.leaf == "info" and m.json()["counters"]["live_dropped"] == 7
        )
        await sink.close()


async def test_a_broker_that_starts_later_gets_everything_finished_in_order(kind, caplog):
    caplog.set_level(logging.INFO, logger="rolltrack")
    port = brokers.free_port()
    sink = new_sink(port)
    await sink.open()
    await play(sink, sample.live(), *(sample.stroke_ended(n) for n in range(1, 31)))
    await play(sink, sample.ended(session_id(1)), sample.ended(session_id(2)))
    async with embedded_broker(kind, port=port), listening(port) as listener:
        await listener.until_topic(f"/session/{session_id(2)}")
        await sink.close()
        await listener.until_topic("/bridge/status", b"offline")
    strokes = [m.json()["n"] for m in listener.messages if m.leaf == "stroke"]
    assert strokes == list(range(1, 31))
    assert listener.bodies("live") == []
    told = [r.getMessage() for r in caplog.records if r.name.startswith("rolltrack.")]
    assert len(told) <= 2


async def test_nothing_finished_is_lost_when_the_broker_is_killed_and_comes_back(kind):
    async with embedded_broker(kind) as broker:
        sink = new_sink(broker.port)
        await sink.open()
        async with listening(broker.port) as before:
            await before.until_topic("/bridge/status", b"online")
            await play(sink, LinkChanged(t_s=0.0, up=True), sample.ended(session_id(0)))
            await before.until_topic(f"/session/{session_id(0)}")
            await brokers.kill_hard(broker.process)
            await play(sink, *(sample.ended(session_id(n)) for n in range(1, 6)))
        async with listening(broker.port) as after:
            await after.until_topic("/bridge/status", b"online")
            await after.until_topic("/availability", b"online")
            # The broker may be back before the five have finished: an older one may come first.
            await after.until(
                lambda m: (
                    m.topic.endswith("/last-session") and m.json()["session_id"] == session_id(5)
                )
            )
            await play(sink, sample.ended(session_id(6)))
            await after.until_topic(f"/session/{session_id(6)}")
        await sink.close()


async def test_sessions_finished_while_the_broker_is_away_arrive_in_order():
    brokers.skip_without("mosquitto")
    port = brokers.free_port()
    sink = new_sink(port)
    await sink.open()
    async with embedded_broker("mosquitto", port=port), listening(port) as listener:
        await listener.until_topic("/bridge/status", b"online")
    await play(sink, *(sample.ended(session_id(n)) for n in range(50)))
    async with embedded_broker("mosquitto", port=port), listening(port) as listener:
        await listener.until_topic(f"/session/{session_id(49)}")
    await sink.close()
    arrived = [m.json()["session_id"] for m in listener.messages if "/session/" in m.topic]
    assert list(dict.fromkeys(arrived)) == [session_id(n) for n in range(50)]


async def test_closing_delivers_what_still_waits(kind):
    async with embedded_broker(kind) as broker, listening(broker.port) as listener:
        sink = new_sink(broker.port)
        await sink.open()
        await play(sink, *(sample.ended(session_id(n)) for n in range(100)))
        await sink.close()
        await listener.until_topic(f"/session/{session_id(99)}")
        await listener.until_topic("/bridge/status", b"offline")
    assert len([m for m in listener.messages if "/session/" in m.topic]) == 100


async def test_closing_without_a_broker_gives_up_and_says_what_is_missing(caplog):
    sink = new_sink(brokers.free_port())
    await sink.open()
    await play(sink, sample.ended())
    await sink.close()
    (told,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "1 session summaries" in told
    assert "rolltrack sessions list" in told


@pytest.mark.process
async def test_a_killed_service_leaves_its_will(kind):
    program = (
        "import asyncio, sys\n"
        "from rolltrack.mqtt import Peer\n"
        "from rolltrack.sinks.mqtt import MqttSink, link_of_site\n"
        "async def main():\n"
        "    peer = Peer('127.0.0.1', int(sys.argv[1]))\n"
        "    sink = MqttSink(link_of_site(peer, 'home'), 'home')\n"
        "    await sink.open()\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    async with embedded_broker(kind) as broker, listening(broker.port) as listener:
        service = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(broker.port)
        )
        await listener.until_topic("/bridge/status", b"online")
        service.kill()
        await service.wait()
        await listener.until_topic("/bridge/status", b"offline")
        async with listening(broker.port) as late:
            assert (await late.until_topic("/bridge/status")).body == b"offline"


async def test_a_roller_that_a_killed_service_left_online_is_put_right(kind):
    async with embedded_broker(kind) as broker:
        killed = new_sink(broker.port)
        await killed.open()
        async with listening(broker.port) as listener:
            await play(killed, LinkChanged(t_s=0.0, up=True), sample.live(too_fast=True))
            await listener.until_topic("/availability", b"online")
            await killed._link.stop()  # without a word, and without its will
            sink = new_sink(broker.port)
            await sink.open()
            offline = await listener.until_topic("/availability", b"offline")
            heard = listener.messages
            state = await listener.until(
                lambda m: m.leaf == "state" and heard.index(m) > heard.index(offline)
            )
        await sink.close()
    assert (state.json()["state"], state.json()["speed_mm_s"]) == ("unknown", None)


async def test_the_right_password_is_taken_from_its_file(tmp_path):
    brokers.skip_without("mosquitto")
    secret = tmp_path / "secret"
    secret.write_text("open sesame\nnot this line\n")
    async with brokers.mosquitto_with_login(tmp_path, "rolltrack", "open sesame") as port:
        sink = new_sink(port, username="rolltrack", password_file=str(secret))
        await sink.open()
        async with listening(port, login=("rolltrack", "open sesame")) as listener:
            await listener.until_topic("/bridge/status", b"online")
        await sink.close()


async def test_a_wrong_password_is_one_clear_line_and_stops_nothing(tmp_path, caplog):
    brokers.skip_without("mosquitto")
    secret = tmp_path / "secret"
    secret.write_text("open barley\n")
    async with brokers.mosquitto_with_login(tmp_path, "rolltrack", "open sesame") as port:
        sink = new_sink(port, username="rolltrack", password_file=str(secret))
        await sink.open()
        await until_logged(caplog, "refuses")
        await play(sink, sample.ended())
        await sink.close()
    refusals = [r.getMessage() for r in caplog.records if "refuses" in r.getMessage()]
    assert len(refusals) == 1
    assert "mqtt.password_file" in refusals[0]
    assert "barley" not in caplog.text


async def test_two_services_that_call_themselves_the_same_are_told_once(caplog):
    async with embedded_broker() as broker:
        sinks = [new_sink(broker.port), new_sink(broker.port)]
        for sink in sinks:
            await sink.open()
        await until_logged(caplog, 'another program connects as "rolltrack-home". Give each')
        for sink in sinks:
            await sink.close()
    losses = [text for text in caplog.messages if text.startswith("Lost the MQTT broker")]
    assert 2 <= len(losses) <= 4  # two brief connections each, then silence


async def test_something_that_is_no_broker_is_named_and_does_not_end_the_sink(caplog):
    async def answer(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    port = brokers.free_port()
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    sink = new_sink(port)
    async with server:
        await sink.open()
        await until_logged(caplog, "does not answer as an MQTT broker")
    async with embedded_broker(port=port), listening(port) as listener:
        await listener.until_topic("/bridge/status", b"online")
    await sink.close()


@pytest.mark.parametrize(("host", "warned"), [("192.0.2.1", True), ("localhost", False)])
async def test_a_password_that_would_travel_openly_is_pointed_out(host, warned, tmp_path, caplog):
    (tmp_path / "secret").write_text("open sesame")
    login = {"username": "me", "password_file": str(tmp_path / "secret")}
    peer = peer_of(MqttConfig(broker=f"{host}:{brokers.free_port()}", **login))
    sink = MqttSink(link_of_site(peer, "home"), "home")
    await sink.open()
    await sink.close()
    assert ("unencrypted" in caplog.text) == warned
    assert "sesame" not in caplog.text


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"username": "me", "password_file": "/does/not/exist"}, "Cannot read mqtt.password_file"),
        ({"password_file": "/does/not/exist"}, "mqtt.username is not"),
    ],
)
def test_a_login_that_cannot_work_is_refused_at_start(config, complaint):
    with pytest.raises(UsageError, match=complaint):
        new_sink(1883, **config)


@pytest.mark.parametrize("host", ["", "a..b", "x" * 70])
def test_an_address_that_cannot_work_is_refused_at_start(host):
    with pytest.raises(UsageError, match="not the address"):
        Peer(host, 1883)


async def until_logged(caplog, text):
    """Wait for a log line by listening to the log itself."""
    loop, said = asyncio.get_running_loop(), asyncio.Event()

    class Ear(logging.Handler):
        def emit(self, record):
            if text in record.getMessage():
                loop.call_soon_threadsafe(said.set)

    ear, log = Ear(), logging.getLogger("rolltrack")
    log.addHandler(ear)
    try:
        if text not in caplog.text:
            async with asyncio.timeout(20):
                await said.wait()
    finally:
        log.removeHandler(ear)
