"""Session payloads to send to an archive, and what sends them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from support import sample_events as sample
from support.mqtt_listener import TIMEOUT_S

from rolltrack import wire
from rolltrack.archive.arrival import read_arrival
from rolltrack.store.location import location_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SITE = "gym"
TOPICS = wire.Topics(SITE)


def at(database: str):
    return location_of(database, what="Archive", setting="archive.database")


def session_id(n: int) -> str:
    return f"019ab2f1-7c3a-7d10-8a51-{n:012d}"


def payload(n: int = 0, **changes) -> wire.SessionPayload:
    return wire.session_payload(sample.summary(session_id(n), **changes))


def message(n: int = 0, **changes) -> tuple[str, bytes]:
    """Topic and body of the session with this number."""
    said = payload(n, **changes)
    return TOPICS.session(said.athlete, said.session_id), wire.encode(said)


def arrival(n: int = 0, **changes):
    return read_arrival(*message(n, **changes))


class Sender:
    """A service as the archive knows it: whoever publishes sessions."""

    def __init__(self, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop
        self._taken: dict[int, asyncio.Future[None]] = {}

    async def send(self, topic: str, body: bytes) -> None:
        """Publish; returns when the broker has it."""
        taken = self._loop.create_future()
        self._taken[self._client.publish(topic, body, 1).mid] = taken
        async with asyncio.timeout(TIMEOUT_S):
            await taken

    def _delivered(self, mid: int) -> None:
        if mid in self._taken:
            self._taken.pop(mid).set_result(None)


@contextlib.asynccontextmanager
async def sending(port: int) -> AsyncIterator[Sender]:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    client = Client(CallbackAPIVersion.VERSION2)
    client.reconnect_delay_set(1, 1)
    sender = Sender(client, loop)
    client.on_connect = lambda *_: loop.call_soon_threadsafe(ready.set)
    client.on_publish = lambda _c, _d, mid, *_: loop.call_soon_threadsafe(sender._delivered, mid)
    client.connect_async("127.0.0.1", port)
    client.loop_start()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await ready.wait()
        yield sender
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


@contextlib.asynccontextmanager
async def archive_process(
    folder: Path, port: int, database: str, *options: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`rolltrack archive run`; what still runs at the end of the block is killed."""
    with (folder / "archive.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rolltrack", "archive", "run", "--site", SITE),
            *("--mqtt", f"127.0.0.1:{port}", "--database", database, *options),
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
