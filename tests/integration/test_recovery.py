"""What dies or freezes during a session, and what then arrives: the whole service, all real."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import pytest
from support.brokers import kill_hard, skip_without, stock_mosquitto
from support.mqtt_listener import listening
from support.service_process import ended, rolltrack_run
from support.virtual_ble import SimProcess

import rolltrack.traces
from rolltrack.store import SessionStore

CALF = Path(rolltrack.traces.__file__).parent / "samples" / "calf.csv.gz"
SPEED = 4

pytestmark = [pytest.mark.process, pytest.mark.broker]


class Scene:
    """A roller, a broker and the service between them, in the middle of a session."""

    def __init__(self, folder, simulator, broker, service, listener):
        self.folder = folder
        self.simulator = simulator
        self.broker = broker
        self.service = service
        self.listener = listener

    @property
    def strokes(self) -> set[int]:
        """Numbers of the strokes that have arrived."""
        return {
            message.json()["n"] for message in self.listener.messages if message.leaf == "stroke"
        }

    async def until_strokes(self, count: int) -> None:
        await self.listener.until(lambda _: len(self.strokes) >= count)

    async def until_offline(self) -> None:
        await self.listener.until_topic("/availability", b"offline")

    async def end(self) -> dict:
        """Stop the service; its session summary."""
        self.service.send_signal(signal.SIGINT)
        code, _, said = await ended(self.service)
        assert code == 0, said
        assert "Traceback" not in said
        summary = (await self.listener.until(lambda m: "/session/" in m.topic)).json()
        (stored,) = SessionStore(self.folder / "sessions.db").newest()
        assert stored.session_id == summary["session_id"]
        return summary


@pytest.fixture
async def scene(tmp_path):
    skip_without("mosquitto")
    async with contextlib.AsyncExitStack() as stack:
        port, broker = await stack.enter_async_context(stock_mosquitto(tmp_path))
        listener = await stack.enter_async_context(listening(port))
        simulator = await replay()
        stack.push_async_callback(simulator.end)
        options = (
            "--ble",
            simulator.where,
            "--mqtt",
            f"127.0.0.1:{port}",
            "--store",
            "sessions.db",
        )
        service = await stack.enter_async_context(rolltrack_run(tmp_path, *options))
        yield Scene(tmp_path, simulator, broker, service, listener)


async def replay(where: str = "tcp:127.0.0.1:0") -> SimProcess:
    return await SimProcess.start(str(CALF), "--loop", "--speed", str(SPEED), where=where)


async def test_a_killed_simulator_that_comes_back_goes_on_in_the_same_session(scene):
    await scene.until_strokes(4)
    scene.simulator.send(signal.SIGKILL)
    await scene.until_offline()
    again = await replay(scene.simulator.where)
    try:
        before = max(scene.strokes)
        await scene.until_strokes(before + 2)
        summary = await scene.end()
    finally:
        await again.end()
    assert_one_session_with_a_gap(scene, summary, strokes_before=4)


async def test_a_frozen_simulator_that_thaws_goes_on_in_the_same_session(scene):
    await scene.until_strokes(4)
    scene.simulator.send(signal.SIGSTOP)
    await scene.until_offline()
    scene.simulator.send(signal.SIGCONT)
    before = max(scene.strokes)
    await scene.until_strokes(before + 2)
    summary = await scene.end()
    assert_one_session_with_a_gap(scene, summary, strokes_before=4)


async def test_a_killed_broker_that_comes_back_gets_every_stroke_and_the_session(scene):
    await scene.until_strokes(2)
    await kill_hard(scene.broker)
    await scene.listener.disconnected.wait()
    await scene.broker.start()
    before = max(scene.strokes)
    await scene.until_strokes(before + 3)
    summary = await scene.end()
    assert scene.strokes == set(range(1, max(scene.strokes) + 1))
    assert summary["strokes"] >= before + 3
    assert (summary["gaps"], summary["unknown_s"]) == (0, 0.0)


def assert_one_session_with_a_gap(scene, summary, *, strokes_before):
    sessions = {m.json()["session_id"] for m in scene.listener.messages if m.leaf == "stroke"}
    assert sessions == {summary["session_id"]}
    assert summary["gaps"] == 1
    assert summary["unknown_s"] > 0.25
    # Fewer came after the gap than before it, so these hold strokes of both sides.
    assert summary["strokes"] > strokes_before
