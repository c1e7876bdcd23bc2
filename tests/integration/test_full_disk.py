"""The running service without room on its disk, all real: it says so, waits, and loses nothing.

The system's limit for the size of files stands in for the end of the disk: with a limit of 0 every
write to a file fails, the journals' and the store's alike, and it can be lifted from outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import signal
import time
from pathlib import Path

import pytest
from support.brokers import skip_without, stock_mosquitto
from support.mqtt_listener import listening
from support.service_process import ended, rolltrack_run, until_line
from support.virtual_ble import SimProcess

import rolltrack.traces
from rolltrack.mqtt import MqttLink, Peer
from rolltrack.store import SessionStore
from rolltrack.wire import Message

CALF = Path(rolltrack.traces.__file__).parent / "samples" / "calf.csv.gz"

pytestmark = [
    pytest.mark.process,
    pytest.mark.broker,
    pytest.mark.skipif(
        not hasattr(resource, "prlimit"), reason="only Linux limits another process"
    ),
]


def limit_files(pid: int, size_bytes: int) -> None:
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size_bytes, most))


class Coach:
    """Somebody who sends the roller commands."""

    def __init__(self, port: int, listener, roller: str) -> None:
        self._link = MqttLink(Peer("127.0.0.1", port), client_id="coach")
        self._listener = listener
        self._roller = roller

    async def __aenter__(self):
        up = asyncio.Event()
        self._link.when_up(up.set)
        self._link.start()
        async with asyncio.timeout(20):
            await up.wait()
        return self

    async def __aexit__(self, *_):
        await self._link.stop()

    async def ask(self, name: str) -> dict:
        body = json.dumps({"id": f"coach-{name}", "ts": round(time.time() * 1000)}).encode()
        self._link.send(Message(f"{self._roller}/cmd/{name}", body))
        return (await self._listener.until_topic(f"/cmd-result/{name}")).json()


def is_room_alert(message, phase: str) -> bool:
    if message.leaf != "alert":
        return False
    alert = message.json()
    return (alert["kind"], alert["phase"]) == ("store_full", phase)


async def test_without_room_the_service_says_so_begins_nothing_and_loses_nothing(tmp_path):
    skip_without("mosquitto")
    async with contextlib.AsyncExitStack() as stack:
        port, _ = await stack.enter_async_context(stock_mosquitto(tmp_path))
        listener = await stack.enter_async_context(listening(port))
        simulator = await SimProcess.start(str(CALF), "--loop", "--speed", "2")
        stack.push_async_callback(simulator.end)
        options = ("--ble", simulator.where, "--mqtt", f"127.0.0.1:{port}", "--store", "s.db")
        service = await stack.enter_async_context(rolltrack_run(tmp_path, *options))
        stroke = await listener.until(lambda m: m.leaf == "stroke" and m.json()["n"] == 2)
        first = stroke.json()["session_id"]
        coach = Coach(port, listener, stroke.topic.removesuffix("/stroke"))
        await stack.enter_async_context(coach)

        limit_files(service.pid, 0)
        await listener.until(lambda m: is_room_alert(m, "raised"))
        assert "has ended" in (await coach.ask("stop"))["reason"]
        await until_line(service.stderr, b"Finished sessions are kept in memory")
        refused = await coach.ask("start")
        assert (refused["ok"], "no room" in refused["reason"]) == (False, True)

        limit_files(service.pid, resource.RLIM_INFINITY)
        await until_line(service.stderr, b"The session store works again")
        cleared = await listener.until(lambda m: is_room_alert(m, "cleared"))
        await listener.until_topic(f"/session/{first}")
        next_one = await listener.until(
            lambda m: m.leaf == "stroke" and m.json()["session_id"] != first
        )
        service.send_signal(signal.SIGINT)
        code, _, said = await ended(service)
    assert code == 0, said
    heard = listener.messages
    assert heard.index(next_one) > heard.index(cleared)
    strokes = {m.json()["n"] for m in heard if m.leaf == "stroke" and first in m.body.decode()}
    store = SessionStore(tmp_path / "s.db")
    assert {n.stroke.n for n in store.get(first).strokes} >= strokes
    assert len(store.newest()) == 2
    assert store.waiting() == 0
    store.close()
