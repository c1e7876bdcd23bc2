"""The link against real brokers, and against things that only listen."""

import asyncio
import contextlib
import json

import pytest
from support import brokers
from support.mqtt_listener import hearing_mqtt_5

from rolltrack.broker import embedded_broker
from rolltrack.mqtt import MqttLink, Peer
from rolltrack.wire import Message

pytestmark = pytest.mark.broker

TIMEOUT_S = 20.0


@contextlib.asynccontextmanager
async def running(peer, **options):
    """Yield a link and the queue of what it receives; both sides are connected."""
    link = MqttLink(peer, client_id=options.pop("client_id", "test"), **options)
    received, up = asyncio.Queue(), asyncio.Event()
    link.listen("t/#", received.put_nowait)
    link.when_up(up.set)
    link.start()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await up.wait()
        yield link, received
    finally:
        await link.stop()


async def next_of(queue):
    async with asyncio.timeout(TIMEOUT_S):
        return await queue.get()


@pytest.mark.parametrize(
    ("kind", "protocol", "spoken"),
    [
        ("mosquitto", "auto", "5"),
        ("mosquitto", "3.1.1", "3.1.1"),
        ("amqtt", "auto", "3.1.1"),  # it never answers an MQTT 5 client
        ("amqtt", "3.1.1", "3.1.1"),
    ],
)
async def test_it_speaks_the_newest_version_that_the_broker_understands(kind, protocol, spoken):
    brokers.skip_without(kind)
    async with embedded_broker(kind) as broker:
        peer = Peer(broker.host, broker.port, protocol=protocol)
        async with running(peer) as (link, received):
            delivered = asyncio.Queue()
            link.when_delivered(delivered.put_nowait)
            number = link.send(Message("t/x", b"hello", retain=True))
            assert await next_of(delivered) == number
            assert (await next_of(received)).body == b"hello"
            assert link.protocol == spoken


async def test_mqtt_5_tells_schema_expiry_and_where_to_answer():
    brokers.skip_without("mosquitto")
    asked = Message(
        "t/x",
        b"{}",
        schema="live/1",
        expiry_s=5,
        response_topic="t/answer",
        correlation=b"7",
    )
    async with (
        embedded_broker("mosquitto") as broker,
        hearing_mqtt_5(broker.port, "t/#") as seen,
        running(broker.peer) as (link, received),
    ):
        link.send(asked)
        properties = (await next_of(seen)).properties
        echoed = await next_of(received)
    assert properties.ContentType == "application/json"
    assert ("schema", "live/1") in properties.UserProperty
    assert 0 < properties.MessageExpiryInterval <= 5
    assert (echoed.response_topic, echoed.correlation) == ("t/answer", b"7")


async def test_what_was_not_confirmed_comes_again():
    brokers.skip_without("mosquitto")
    options = {"client_id": "keeper", "persistent": True, "manual_ack": True}
    async with embedded_broker("mosquitto") as broker:
        async with running(broker.peer, **options) as (_, received):
            async with running(broker.peer, client_id="sender") as (sender, echo):
                sender.send(Message("t/1", b"1"))
                await next_of(echo)
            assert (await next_of(received)).body == b"1"
        async with running(broker.peer, **options) as (link, received):
            again = await next_of(received)
            assert again.body == b"1"
            link.confirm(again)
            async with running(broker.peer, client_id="sender") as (sender, _):
                sender.send(Message("t/2", b"2"))
            assert (await next_of(received)).body == b"2"
        async with running(broker.peer, **options) as (_, received):
            assert (await next_of(received)).body == b"2"


async def test_a_listener_that_fails_is_counted_and_the_others_are_served(caplog):
    async with embedded_broker() as broker, running(broker.peer) as (link, received):
        link.listen("t/#", lambda message: json.loads(message.body))
        for body in (b"no JSON", b"1"):
            link.send(Message("t/x", body))
            # Both subscriptions fit; a broker may send one copy for each.
            assert (await next_of(received)).topic == "t/x"
        assert link.counts["faults"] >= 1
        assert link.up
    assert "JSONDecodeError" in caplog.text


async def test_a_listener_that_joins_late_is_subscribed():
    async with embedded_broker() as broker, running(broker.peer) as (link, _):
        late = asyncio.Queue()
        link.listen("late/+", late.put_nowait)
        link.send(Message("late/1", b"x", retain=True))
        assert (await next_of(late)).body == b"x"


# paho leaves the dead thread's pair of sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_network_thread_that_dies_is_started_again(monkeypatch, caplog):
    monkeypatch.setattr("rolltrack.mqtt.link.WATCH_S", 0.05)
    monkeypatch.setattr("threading.excepthook", lambda _: None)  # pytest would call it a failure
    async with embedded_broker() as broker, running(broker.peer) as (link, received):
        paho, take = link._client._paho, link._client._received

        def break_once(*_):
            paho.on_message = take
            raise ZeroDivisionError

        paho.on_message = break_once
        link.send(Message("t/x", b"lost"))
        link.send(Message("t/kept", b"y", retain=True))
        async with asyncio.timeout(TIMEOUT_S):
            while (await received.get()).topic != "t/kept":
                pass
        assert link.counts["faults"] == 1
    assert "had stopped by a fault" in caplog.text
