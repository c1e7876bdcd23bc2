"""Nothing that was finished, or announced, is lost: all processes real, and really killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

import msgspec
import pytest
from support import brokers
from support import sample_events as sample
from support.archives import archive_process
from support.mqtt_listener import listening
from support.service_process import ended, rolltrack_run, until_line
from support.virtual_ble import SimProcess

import rolltrack.traces
from rolltrack import wire
from rolltrack.broker import embedded_broker
from rolltrack.mqtt import MqttLink, Peer
from rolltrack.sinks.mqtt import MqttSink, link_of_site
from rolltrack.sinks.sessions import SessionSink
from rolltrack.store import SessionStore

ROOT = Path(__file__).parents[2]
CALF = Path(rolltrack.traces.__file__).parent / "samples" / "calf.csv.gz"
SITE = "gym"
TOPICS = wire.Topics(SITE)

pytestmark = [pytest.mark.process, pytest.mark.broker]


def session_id(n: int) -> str:
    return f"019ab2f1-7c3a-7d10-8a51-{n:012d}"


@contextlib.asynccontextmanager
async def publishing(path: Path, peer, *, receipts: bool):
    """A store and the two sinks that bring sessions out of it; yields what ends a session."""
    store = SessionStore(path, delivers=True)
    publisher = MqttSink(link_of_site(peer, SITE), SITE, sessions=store, receipts=receipts)
    keeper = SessionSink(store, stored=publisher.stored)
    await publisher.open()

    async def end(n: int, **changes) -> None:
        event = sample.ended(session_id(n), **changes)
        await publisher.handle(sample.ROLLER, event)
        await keeper.handle(sample.ROLLER, event)

    try:
        yield end, store
    finally:
        await publisher.close()
        await keeper.close()


def left_in(path: Path) -> list[str]:
    store = SessionStore(path)
    left = [summary.session_id for _, summary in store.undelivered(limit=1000)]
    store.close()
    return left


def sessions(listener) -> list[str]:
    return [m.json()["session_id"] for m in listener.messages if "/session/" in m.topic]


async def test_without_receipts_the_brokers_word_is_enough(tmp_path):
    async with embedded_broker() as broker, listening(broker.port) as listener:
        async with publishing(tmp_path / "s.db", broker.peer, receipts=False) as (end, _):
            for n in range(150):
                await end(n)
        await listener.until_topic(f"/session/{session_id(149)}")
        last = await listener.until(
            lambda m: m.leaf == "last-session" and m.json()["session_id"] == session_id(149)
        )
    assert sessions(listener) == [session_id(n) for n in range(150)]
    assert last.json()["athlete"] == "a7k2"
    assert left_in(tmp_path / "s.db") == []


async def test_a_session_goes_out_at_once_after_the_one_before_has_arrived(tmp_path):
    async with (
        embedded_broker() as broker,
        listening(broker.port) as listener,
        publishing(tmp_path / "s.db", broker.peer, receipts=False) as (end, store),
    ):
        for n in range(3):
            await end(n)
            await listener.until_topic(f"/session/{session_id(n)}")
            async with asyncio.timeout(20):
                while await asyncio.to_thread(store.waiting):  # noqa: ASYNC110  # a file tells nobody
                    await asyncio.sleep(0.01)
    assert sessions(listener) == [session_id(n) for n in range(3)]


async def test_with_receipts_a_session_stays_until_just_its_receipt_comes(tmp_path):
    async with (
        embedded_broker() as broker,
        listening(broker.port) as listener,
        publishing(tmp_path / "s.db", broker.peer, receipts=True) as (end, store),
    ):
        await end(1)
        await listener.until_topic(f"/session/{session_id(1)}")
        archive = MqttLink(broker.peer, client_id="archive")
        up = asyncio.Event()
        archive.when_up(up.set)
        archive.start()
        await up.wait()
        topic = TOPICS.receipt("a7k2", session_id(1))
        of_another = TOPICS.receipt("b3m9", session_id(1))
        right = wire.Receipt(ts=1, session_id=session_id(1), revision=1, archive="x")
        wrong = msgspec.structs.replace(right, revision=2)
        for where, body in (
            (topic, b"no JSON"),
            (topic, b"\xff"),
            (topic, wire.encode(wrong)),
            (of_another, wire.encode(right)),
        ):
            archive.send(wire.Message(where, body))
        # None of those was its receipt, so it is sent again.
        await listener.until(lambda _: sessions(listener).count(session_id(1)) == 2)
        assert store.waiting() == 1
        archive.send(wire.Message(topic, wire.encode(right)))
        archive.send(wire.Message(topic, wire.encode(right)))
        await end(2)
        await listener.until_topic(f"/session/{session_id(2)}")
        await archive.stop()
    assert left_in(tmp_path / "s.db") == [session_id(2)]


async def test_what_an_earlier_life_left_is_sent_by_the_next(tmp_path):
    store = SessionStore(tmp_path / "s.db", delivers=True)
    for n in range(3):
        event = sample.ended(session_id(n))
        store.add(event.summary, event.strokes)
    store.close()
    async with (
        embedded_broker() as broker,
        listening(broker.port) as listener,
        publishing(tmp_path / "s.db", broker.peer, receipts=False),
    ):
        await listener.until_topic(f"/session/{session_id(2)}")
    assert sessions(listener) == [session_id(n) for n in range(3)]


async def test_a_broker_that_stays_away_gets_everything_in_order_when_it_is_back(tmp_path):
    brokers.skip_without("mosquitto")
    async with (
        brokers.stock_mosquitto(tmp_path) as (port, process),
        listening(port) as listener,
        publishing(tmp_path / "s.db", Peer("127.0.0.1", port), receipts=True) as (end, _),
    ):
        await end(0)
        await listener.until_topic(f"/session/{session_id(0)}")
        await brokers.kill_hard(process)
        await listener.disconnected.wait()
        for n in range(1, 100):
            await end(n)
        await process.start()
        # Whoever listens may be back later than we are; nobody sends a receipt, so all come again.
        wanted = [session_id(n) for n in range(1, 100)]
        await listener.until(lambda _: set(wanted) <= set(sessions(listener)))
    whole_rounds = "".join(sessions(listener))
    assert "".join(wanted) in whole_rounds


async def test_a_killed_service_comes_back_with_the_session_it_was_in(tmp_path):
    brokers.skip_without("mosquitto")
    async with contextlib.AsyncExitStack() as stack:
        port, _ = await stack.enter_async_context(brokers.stock_mosquitto(tmp_path))
        listener = await stack.enter_async_context(listening(port))
        simulator = await SimProcess.start(str(CALF), "--loop", "--speed", "4")
        stack.push_async_callback(simulator.end)
        mqtt = ("--mqtt", f"127.0.0.1:{port}", "--store", "sessions.db")
        service = await stack.enter_async_context(
            rolltrack_run(tmp_path, "--ble", simulator.where, *mqtt)
        )
        second = await listener.until(lambda m: m.leaf == "stroke" and m.json()["n"] == 4)
        service.kill()
        await service.wait()
        again = await stack.enter_async_context(
            rolltrack_run(tmp_path, "--no-ble", "--phone", *mqtt)
        )
        await until_line(again.stderr, b"recovered a session")
        arrived = await listener.until(lambda m: "/session/" in m.topic)
        again.send_signal(signal.SIGINT)
        code, _, said = await ended(again)
    assert code == 0, said
    summary = arrived.json()
    assert summary["session_id"] == second.json()["session_id"]
    assert summary["end"] == "recovered"
    assert summary["strokes"] >= 2
    assert list((tmp_path / "sessions.db.journals").iterdir()) == []


async def test_random_kills_lose_nothing(tmp_path):
    brokers.skip_without("mosquitto")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "benchmarks/delivery.py", "--seed", "3", "--seconds", "8", "--json"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, f"{out.decode()}\n{err.decode()}"
    report = json.loads(out)
    assert report["lost"] == 0
    assert report["sessions"] > 0
    assert report["kills"] >= 3


async def test_an_archive_empties_the_outbox(tmp_path):
    receipts: set[str] = set()
    async with (
        embedded_broker() as broker,
        listening(broker.port) as listener,
        archive_process(tmp_path, broker.port, str(tmp_path / "archive.db")),
    ):
        async with publishing(tmp_path / "s.db", broker.peer, receipts=True) as (end, _):
            for n in range(20):
                await end(n)
            await listener.until(
                lambda m: (
                    "/receipt/" in m.topic
                    and (receipts.add(m.json()["session_id"]) or len(receipts) == 20)
                )
            )
        assert left_in(tmp_path / "s.db") == []
