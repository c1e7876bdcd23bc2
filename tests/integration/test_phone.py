"""A phone and a replay of what it felt end in the same session summary on MQTT."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from support import phone_emulator
from support.brokers import skip_without
from support.mqtt_listener import listening
from support.sinks import ListSink

import rolltrack.traces
from rolltrack.broker import embedded_broker
from rolltrack.config import Config, PhoneConfig, SessionConfig
from rolltrack.core.events import SessionEnded
from rolltrack.service import run_service
from rolltrack.sinks.mqtt import MqttSink, link_of_site
from rolltrack.sources.phone import PhoneSource
from rolltrack.sources.replay import ReplaySource
from rolltrack.traces.reader import read_trace
from rolltrack.traces.trace import Trace, TraceMeta
from rolltrack.traces.writer import write_trace

SAMPLES = Path(rolltrack.traces.__file__).parent / "samples"


@pytest.fixture
def trace(tmp_path, request):
    """A bundled trace that does not tell its axle, as a phone does not either."""
    bundled = read_trace(SAMPLES / f"{request.param}.csv.gz")
    meta = TraceMeta(bundled.meta.started_at_unix_s)
    path = tmp_path / f"{request.param}.csv"
    write_trace(path, Trace(bundled.name, meta, bundled.samples))
    return path


async def published(source, meanwhile=None) -> dict:
    """The session that a run of the service with this source publishes."""
    stop = asyncio.Event()
    async with embedded_broker("mosquitto") as broker, listening(broker.port) as listener:
        sink = MqttSink(link_of_site(broker.peer, "home"), "home")
        service = asyncio.create_task(
            run_service(Config(), sources=[source], sinks=[sink], stop=stop)
        )
        if meanwhile is not None:
            await meanwhile()
            stop.set()
        await service
        return (await listener.until(lambda m: "/session/" in m.topic)).json()


@pytest.mark.broker
@pytest.mark.parametrize(
    ("trace", "options"),
    [
        ("calf", []),
        ("calf", ["--shuffled", "--repeated"]),
        ("calf", ["--ios"]),
        ("back", []),
    ],
    ids=["plain", "disorder", "iPhone", "without gyroscope"],
    indirect=["trace"],
)
async def test_phone_and_replay_agree(trace, options):
    skip_without("mosquitto")
    source = PhoneSource(PhoneConfig(enabled=True, port=0))

    async def emulate():
        await source.listening.wait()
        emulator = await asyncio.create_subprocess_exec(
            *(sys.executable, phone_emulator.__file__, str(trace), source.url, "--speed", "0"),
            *options,
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        out, err = await emulator.communicate()
        assert emulator.returncode == 0, err.decode()
        assert b"pushes" in out

    by_phone = await published(source, emulate)
    by_replay = await published(ReplaySource(trace, None))
    assert by_phone["roller"] != by_replay["roller"]
    own = {"session_id", "roller"}
    assert {key: by_phone[key] for key in by_phone if key not in own} == {
        key: by_replay[key] for key in by_replay if key not in own
    }
    assert by_phone["strokes"] == by_replay["strokes"] > 5


async def test_a_phone_that_falls_silent_ends_its_session():
    source, sink, stop = PhoneSource(PhoneConfig(enabled=True, port=0)), ListSink(), asyncio.Event()
    config = Config(session=SessionConfig(idle_s=2.0))
    service = asyncio.create_task(run_service(config, sources=[source], sinks=[sink], stop=stop))
    await source.listening.wait()
    samples = read_trace(SAMPLES / "calf.csv.gz").samples
    cut_off = samples[: int((samples.t_s < 14.0).sum())]
    phone = phone_emulator.Phone()
    await asyncio.to_thread(
        phone_emulator.replay, cut_off, source.url, phone, epoch_unix_s=1_763_900_000.0
    )
    (ended,) = await sink.until(SessionEnded)
    assert not service.done()
    assert ended.summary.strokes >= 2
    stop.set()
    await service
