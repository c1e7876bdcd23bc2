"""Sessions that an archive leaves unanswered, for a while or for good; a real broker and store."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from support import sample_events as sample
from support.archives import TOPICS, session_id
from support.mqtt_listener import listening

from rolltrack import wire
from rolltrack.broker import embedded_broker
from rolltrack.mqtt import MqttLink, Peer
from rolltrack.sinks.mqtt import link_of_site
from rolltrack.sinks.mqtt_sessions import SessionSender
from rolltrack.sinks.mqtt_unanswered import Pace
from rolltrack.store import SessionStore

BRISK = Pace(window=5, again_min_s=0.1, again_max_s=0.5)
NEVER_AGAIN = Pace(window=5, again_min_s=0.1, again_max_s=1e6)

pytestmark = pytest.mark.broker


class Archive:
    """Stores nothing, and sends receipts for what it neither refuses nor, at first, misses."""

    def __init__(self, peer: Peer, refused: set[str], missed: int = 0) -> None:
        self.refused = refused
        self.missed = missed
        self.receipts: list[str] = []
        self._link = MqttLink(peer, client_id="archive")

    async def start(self) -> None:
        listening_now = asyncio.Event()
        self._link.listen(TOPICS.any_session, self._take)
        self._link.when_listening(listening_now.set)
        self._link.start()
        async with asyncio.timeout(20):
            await listening_now.wait()

    async def stop(self) -> None:
        await self._link.stop()

    def _take(self, incoming) -> None:
        name = incoming.topic.rsplit("/", 1)[-1]
        self.missed -= 1
        if self.missed < 0 and name not in self.refused:
            self.receipts.append(name)
            receipt = wire.Receipt(ts=1, session_id=name, revision=1, archive="x")
            self._link.send(wire.Message(TOPICS.receipt("a7k2", name), wire.encode(receipt)))


@contextlib.asynccontextmanager
async def archive_at(peer: Peer, refused: set[str], missed: int = 0):
    archive = Archive(peer, refused, missed)
    await archive.start()
    try:
        yield archive
    finally:
        await archive.stop()


@contextlib.asynccontextmanager
async def sending(path, peer: Peer, pace: Pace):
    """A store whose sessions are sent; yields it, and what stores a session."""
    store = SessionStore(path, delivers=True)
    link = link_of_site(peer, TOPICS.site)
    sender = SessionSender(store, link, TOPICS, receipts=True, keep=lambda _: None, pace=pace)
    sender.open()
    link.start()

    async def add(n: int) -> None:
        event = sample.ended(session_id(n))
        await asyncio.to_thread(store.add, event.summary, event.strokes)
        sender.stored(session_id(n))

    try:
        yield store, add
    finally:
        await sender.close(0.0)
        await link.stop()
        store.close()


async def until_waiting(store: SessionStore, names: set[str]) -> None:
    """Until just these are left to be delivered."""
    async with asyncio.timeout(60):
        while {s.session_id for _, s in await asyncio.to_thread(store.undelivered)} != names:  # noqa: ASYNC110  # a file tells nobody
            await asyncio.sleep(0.02)


def sessions(listener) -> list[str]:
    return [m.topic.rsplit("/", 1)[-1] for m in listener.messages if "/session/" in m.topic]


async def test_what_an_archive_refuses_holds_up_no_other_and_is_never_given_up(tmp_path):
    refused = {session_id(n) for n in range(12)}  # more than two windows full
    async with (
        embedded_broker() as broker,
        listening(broker.port) as listener,
        archive_at(broker.peer, refused) as archive,
        sending(tmp_path / "s.db", broker.peer, BRISK) as (store, add),
    ):
        for n in range(30):
            await add(n)
        await until_waiting(store, refused)
        await add(30)
        await listener.until(lambda m: m.topic.endswith(f"/receipt/{session_id(30)}"))
        sent = sessions(listener).count(session_id(11))
        await listener.until(lambda _: sessions(listener).count(session_id(11)) >= sent + 2)
        archive.refused = set()
        await until_waiting(store, set())
    assert list(dict.fromkeys(sessions(listener))) == [session_id(n) for n in range(31)]
    assert set(archive.receipts) == {session_id(n) for n in range(31)}


async def test_a_newer_session_does_not_overtake_one_that_has_to_be_sent_again(tmp_path):
    async with (
        embedded_broker() as broker,
        listening(broker.port) as listener,
        archive_at(broker.peer, set(), missed=1) as archive,
        sending(tmp_path / "s.db", broker.peer, Pace(again_min_s=1.0)) as (store, add),
    ):
        await add(0)
        await listener.until_topic(f"/session/{session_id(0)}")
        for n in range(1, 6):
            await add(n)
        await until_waiting(store, set())
    assert list(dict.fromkeys(archive.receipts)) == [session_id(n) for n in range(6)]


async def test_a_receipt_counts_however_late_it_comes(tmp_path):
    async with (
        embedded_broker() as broker,
        listening(broker.port) as listener,
        sending(tmp_path / "s.db", broker.peer, NEVER_AGAIN) as (store, add),
    ):
        for n in range(12):
            await add(n)
        await listener.until_topic(f"/session/{session_id(11)}")
        answer = MqttLink(broker.peer, client_id="answer")
        up = asyncio.Event()
        answer.when_up(up.set)
        answer.start()
        await up.wait()
        for n in range(12):
            receipt = wire.Receipt(ts=1, session_id=session_id(n), revision=1, archive="x")
            answer.send(wire.Message(TOPICS.receipt("a7k2", session_id(n)), wire.encode(receipt)))
        await until_waiting(store, set())
        await answer.stop()


async def test_a_new_connection_tries_those_without_an_answer_at_once(tmp_path):
    async with (
        embedded_broker() as broker,
        listening(broker.port) as listener,
        sending(tmp_path / "s.db", broker.peer, NEVER_AGAIN) as (_, add),
    ):
        for n in range(12):
            await add(n)
        await listener.until_topic(f"/session/{session_id(11)}")
        assert sessions(listener).count(session_id(0)) == NEVER_AGAIN.rounds
        usurper = link_of_site(broker.peer, TOPICS.site)  # of the same name, so the other must go
        up = asyncio.Event()
        usurper.when_up(up.set)
        usurper.start()
        await up.wait()
        await usurper.stop()
        await listener.until(
            lambda _: sessions(listener).count(session_id(0)) == NEVER_AGAIN.rounds + 1
        )


async def test_a_number_that_is_given_again_is_not_taken_for_an_old_one(tmp_path):
    async with (
        embedded_broker() as broker,
        listening(broker.port) as listener,
        sending(tmp_path / "s.db", broker.peer, BRISK) as (store, add),
    ):
        for n in range(8):
            await add(n)
        await listener.until_topic(f"/session/{session_id(7)}")
        numbers = [number for number, _ in store.undelivered()]
        store.delivered(numbers)  # as if somebody else had taken them out
        async with archive_at(broker.peer, set()):
            for n in range(8, 11):
                await add(n)
            await until_waiting(store, set())
