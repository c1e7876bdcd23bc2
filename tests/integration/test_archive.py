"""The archive between a real broker and a real database, each of which dies."""

import asyncio
import contextlib
import logging

import pytest
from sqlalchemy import event
from support import archives, brokers
from support.mqtt_listener import listening

from rolltrack.archive import ArchiveStore, Collector, client_id_of, open_patiently
from rolltrack.archive.reading import newest_sessions, refused_messages
from rolltrack.broker import embedded_broker
from rolltrack.mqtt import MqttLink, Peer
from rolltrack.wire import Message

pytestmark = pytest.mark.broker


@contextlib.asynccontextmanager
async def collecting(port, store, name="archive-1", retry_min_s=0.05):
    """A collector at work; ends with the block."""
    link = MqttLink(
        Peer("127.0.0.1", port),
        client_id=client_id_of(archives.SITE, name),
        persistent=True,
        manual_ack=True,
    )
    # A broker works in order: when it has taken this, it has also seen the subscription.
    subscribed = asyncio.Event()
    link.when_up(lambda: link.send(Message("probe", b"")))
    link.when_delivered(lambda _mid: subscribed.set())
    collector = Collector(link, store, site=archives.SITE, name=name, retry_min_s=retry_min_s)
    stop = asyncio.Event()
    task = asyncio.create_task(collector.run(stop))
    try:
        async with asyncio.timeout(30):
            await subscribed.wait()
        yield collector
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await task


@pytest.fixture
def store(database):
    store = ArchiveStore(archives.at(database))
    yield store
    store.close()


def stored(store) -> set[str]:
    found = newest_sessions(store, 9999, athlete=None, since_unix_s=None)
    return {summary.session_id for summary in found}


def ids(numbers) -> set[str]:
    return {archives.session_id(n) for n in numbers}


async def until_receipts(listener, numbers, archive="archive-1"):
    for n in numbers:
        session = archives.session_id(n)
        await listener.until(
            lambda m, session=session: (
                m.topic.endswith(f"/receipt/{session}") and m.json()["archive"] == archive
            )
        )


@pytest.mark.parametrize("kind", brokers.BOTH)
async def test_a_session_is_stored_and_its_sender_gets_a_receipt(kind, store):
    brokers.skip_without(kind)
    async with (
        embedded_broker(kind) as broker,
        listening(broker.port) as listener,
        collecting(broker.port, store),
        archives.sending(broker.port) as sender,
    ):
        await sender.send(*archives.message(1, revision=3))
        receipt = await listener.until_topic(f"/receipt/{archives.session_id(1)}")
        assert stored(store) == ids([1])
    assert receipt.topic.startswith("rolltrack/v1/gym/a/a7k2/receipt/")
    said = receipt.json()
    assert said.pop("ts") > 0
    assert said == {
        "v": 1,
        "session_id": archives.session_id(1),
        "revision": 3,
        "archive": "archive-1",
    }
    assert not receipt.retain


async def test_a_repetition_gets_another_receipt_and_is_stored_once(store):
    async with (
        embedded_broker("mosquitto") as broker,
        listening(broker.port) as listener,
        collecting(broker.port, store) as collector,
        archives.sending(broker.port) as sender,
    ):
        for _ in range(3):
            await sender.send(*archives.message(1))
        await sender.send(*archives.message(2))
        await until_receipts(listener, [2])
    assert stored(store) == ids([1, 2])
    assert collector.counts == {"stored": 2, "known": 2, "receipts": 4}
    assert len(listener.bodies(archives.session_id(1))) == 3 + 3


async def test_what_is_no_session_is_kept_apart_and_blocks_nothing(store, caplog):
    _, body = archives.message(1)
    topic = archives.TOPICS.session("mallory", archives.session_id(1))
    async with (
        embedded_broker("mosquitto") as broker,
        listening(broker.port) as listener,
        collecting(broker.port, store) as collector,
        archives.sending(broker.port) as sender,
    ):
        for _ in range(60):  # three times what mosquitto leaves unacknowledged
            await sender.send(topic, body)
        await sender.send(archives.TOPICS.session("a7k2", archives.session_id(2)), b"{}" * 20_000)
        await sender.send(*archives.message(3))
        await until_receipts(listener, [3])
        assert collector.counts["refused"] == 61
    assert stored(store) == ids([3])
    newest, *others = refused_messages(store, 99)
    assert newest.reason == "has 40000 bytes, at most 16384 are taken"
    assert {each.reason for each in others} == {"speaks of another athlete than its topic"}
    assert len(others) == 60
    assert caplog.text.count("Refused a message") == 1
    assert not [m for m in listener.messages if "/a/mallory/receipt/" in m.topic]


async def test_what_arrives_while_the_archive_is_away_waits_at_the_broker(store):
    async with embedded_broker("mosquitto") as broker, listening(broker.port) as listener:
        async with collecting(broker.port, store):
            pass
        async with archives.sending(broker.port) as sender:
            for n in range(50):
                await sender.send(*archives.message(n))
        assert stored(store) == set()
        async with collecting(broker.port, store):
            await until_receipts(listener, range(50))
    assert stored(store) == ids(range(50))


async def test_two_archives_of_one_site_each_keep_everything(database, tmp_path):
    first = ArchiveStore(archives.at(database))
    second = ArchiveStore(archives.at(str(tmp_path / "second.db")))
    async with (
        embedded_broker("mosquitto") as broker,
        listening(broker.port) as listener,
        archives.sending(broker.port) as sender,
        collecting(broker.port, first, "archive-1"),
    ):
        async with collecting(broker.port, second, "archive-2"):
            await sender.send(*archives.message(1))
            await until_receipts(listener, [1], "archive-1")
            await until_receipts(listener, [1], "archive-2")
        await sender.send(*archives.message(2))
        await until_receipts(listener, [2], "archive-1")
        async with collecting(broker.port, second, "archive-2"):
            await until_receipts(listener, [2], "archive-2")
    assert stored(first) == stored(second) == ids([1, 2])
    first.close()
    second.close()


async def test_two_archives_may_share_a_database(database):
    stores = [ArchiveStore(archives.at(database)) for _ in range(2)]
    async with (
        embedded_broker("mosquitto") as broker,
        listening(broker.port) as listener,
        archives.sending(broker.port) as sender,
        collecting(broker.port, stores[0], "archive-1"),
        collecting(broker.port, stores[1], "archive-2"),
    ):
        for n in range(60):
            await sender.send(*archives.message(n))
        await until_receipts(listener, range(60), "archive-1")
        await until_receipts(listener, range(60), "archive-2")
    assert stored(stores[0]) == ids(range(60))
    for store in stores:
        store.close()


class Complaints(logging.Handler):
    """Wakes a test when the collector complains of its database."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.texts = []
        self.heard = asyncio.Event()

    def emit(self, record):
        self.texts.append(record.getMessage())
        self.heard.set()


@pytest.fixture
def complaints():
    heard = Complaints()
    logging.getLogger("rolltrack.archive").addHandler(heard)
    yield heard
    logging.getLogger("rolltrack.archive").removeHandler(heard)


async def test_a_server_that_goes_away_and_comes_back_has_everything(cluster, complaints):
    store = ArchiveStore(archives.at(cluster.new_database()))
    async with (
        embedded_broker("mosquitto") as broker,
        listening(broker.port) as listener,
        collecting(broker.port, store),
        archives.sending(broker.port) as sender,
    ):
        await sender.send(*archives.message(0))
        await until_receipts(listener, [0])
        await asyncio.to_thread(cluster.crash)
        try:
            for n in range(1, 50):
                await sender.send(*archives.message(n))
            async with asyncio.timeout(30):
                await complaints.heard.wait()
            assert not [
                m
                for m in listener.messages
                if m.leaf in ids(range(1, 50)) and "/receipt/" in m.topic
            ]
        finally:
            await asyncio.to_thread(cluster.start)
        await until_receipts(listener, range(1, 50))
    assert stored(store) == ids(range(50))
    assert "Nothing is acknowledged until it works again" in complaints.texts[0]
    store.close()


async def test_a_server_that_is_started_later_is_waited_for(cluster, complaints):
    location = archives.at(cluster.new_database())
    stop = asyncio.Event()
    await asyncio.to_thread(cluster.crash)
    try:
        opening = asyncio.create_task(open_patiently(location, stop, retry_s=0.05))
        async with asyncio.timeout(30):
            await complaints.heard.wait()
    finally:
        await asyncio.to_thread(cluster.start)
    async with asyncio.timeout(60):
        store = await opening
    assert stored(store) == set()
    assert "the server cannot be reached" in complaints.texts[0]
    store.close()
    stop.set()
    assert await open_patiently(location, stop) is None


async def test_a_full_disk_delays_and_loses_nothing(tmp_path, complaints):
    store = ArchiveStore(archives.at(str(tmp_path / "archive.db")))

    def limit(connection, _record):
        """SQLite's own limit stands in for the end of the disk: it fails with the same error."""
        connection.execute("PRAGMA max_page_count = 16")

    event.listen(store.engine, "connect", limit)
    store.engine.dispose()
    async with embedded_broker("mosquitto") as broker, listening(broker.port) as listener:
        async with archives.sending(broker.port) as sender:
            async with collecting(broker.port, store):
                for n in range(100):
                    await sender.send(*archives.message(n))
                async with asyncio.timeout(30):
                    await complaints.heard.wait()
            assert len(stored(store)) < 100  # stopped while it waited for room
        event.remove(store.engine, "connect", limit)
        store.engine.dispose()
        async with collecting(broker.port, store):
            await until_receipts(listener, range(100))
    assert stored(store) == ids(range(100))
    assert "the disk is full. Free some space on it. Nothing is acknowledged" in complaints.texts[0]
    store.close()


async def test_a_broker_that_forgets_is_made_good_by_a_sender_without_receipt(store):
    """mosquitto without persistence, killed: sessions that nobody acknowledged are gone there."""
    async with (
        embedded_broker("mosquitto") as broker,
        collecting(broker.port, store),
        archives.sending(broker.port) as sender,
    ):
        for n in range(20):
            await sender.send(*archives.message(n))
        await brokers.kill_hard(broker.process)
        async with listening(broker.port) as listener:
            async with asyncio.timeout(60):
                for n in range(20):
                    while not listener.bodies(archives.session_id(n)):
                        await sender.send(*archives.message(n))
            await until_receipts(listener, [19])
    assert stored(store) == ids(range(20))


@pytest.mark.process
async def test_killed_again_and_again_it_loses_nothing(database, tmp_path):
    """The archive alone dies: the broker delivers what was not acknowledged once more."""
    total = 300
    async with embedded_broker("mosquitto") as broker, listening(broker.port) as listener:

        def archive():
            return archives.archive_process(tmp_path, broker.port, database, "--name", "coach")

        queue_made = ArchiveStore(archives.at(database))
        async with collecting(broker.port, queue_made, "coach"):
            pass
        queue_made.close()
        async with archives.sending(broker.port) as sender:

            async def send_all():
                for n in range(total):
                    await sender.send(*archives.message(n))

            sending = asyncio.create_task(send_all())
            for milestone in (3, 90, 180):
                async with archive() as next_life:
                    await until_receipts(listener, [milestone], "coach")
                    next_life.kill()
            await sending
            async with archive() as last:
                await sender.send(*archives.message(total))
                await until_receipts(listener, range(total + 1), "coach")
                last.terminate()
                async with asyncio.timeout(30):
                    assert await last.wait() == 0
    store = ArchiveStore(archives.at(database))
    assert stored(store) == ids(range(total + 1))
    store.close()
