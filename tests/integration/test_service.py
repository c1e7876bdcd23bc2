from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.brokers import HOST, free_port, skip_without
from support.mqtt_listener import listening
from support.sinks import FailingSink, ListSink, StuckSink

import rolltrack.traces
from rolltrack.broker import embedded_broker
from rolltrack.config import Config, RollerConfig
from rolltrack.core.events import (
    LinkChanged,
    LiveSpeed,
    SessionEnded,
    SessionStarted,
    StrokeEnded,
)
from rolltrack.core.sample import ImuSamples
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker
from rolltrack.errors import InputError, StoreError, UsageError
from rolltrack.mqtt import Peer
from rolltrack.protocols import load_protocol
from rolltrack.service import run_service
from rolltrack.sinks.mqtt import MqttSink, link_of_site
from rolltrack.sinks.sessions import SessionSink
from rolltrack.sources.replay import ReplaySource
from rolltrack.sources.source import Sensor
from rolltrack.store import SessionStore
from rolltrack.traces.reader import read_trace

SAMPLES = Path(rolltrack.traces.__file__).parent / "samples"
CALF, BACK = SAMPLES / "calf.csv.gz", SAMPLES / "back.csv.gz"


async def run(config=None, *, sources, sinks, stop=None, **options):
    await run_service(
        config or Config(), sources=sources, sinks=sinks, stop=stop or asyncio.Event(), **options
    )


def offline(path: Path) -> SessionEnded:
    """The same trace through a tracker of its own."""
    trace = read_trace(path)
    setup = Setup("x", "me", load_protocol("slow-release"), 0.075, axle=trace.meta.axle)
    tracker = Tracker(setup)
    events = [*tracker.feed(trace.samples), *tracker.finish()]
    return next(event for event in events if isinstance(event, SessionEnded))


def session_config(**roller) -> Config:
    return Config(rollers=(RollerConfig(id="calf", sensor="trace:calf", **roller),))


class ScriptedSource:
    """Delivers what it is given, then waits to be cancelled, ends or fails."""

    def __init__(self, items, *, name="scripted", then=None):
        self.name = name
        self.items = items
        self.then = then
        self.done = asyncio.Event()

    async def run(self, deliver):
        for sensor, item in self.items:
            deliver(sensor, item)
            await asyncio.sleep(0)
        self.done.set()
        if isinstance(self.then, Exception):
            raise self.then
        if self.then == "wait":
            await asyncio.Event().wait()


def strokes_of(serial: str, duration_s: float = 20.0):
    """Rolling back and forth in packets of a tenth of a second, as a sensor would send it."""
    sensor = Sensor("ble", serial, "Roller", 1_763_900_000.0, 0.075)
    items = [(sensor, LinkChanged(0.0, up=True))]
    for packet in range(round(duration_s * 10)):
        t_s = packet / 10 + np.arange(10) / 100
        gyro_radps = np.zeros((10, 3))
        gyro_radps[:, 2] = 0.6 * np.sin(2 * np.pi * t_s / 8)
        items.append((sensor, ImuSamples(t_s, None, gyro_radps)))
    return items


@pytest.mark.broker
async def test_a_trace_ends_as_the_same_session_in_store_broker_and_analysis(tmp_path):
    skip_without("mosquitto")
    store = SessionStore(tmp_path / "sessions.db")
    async with (
        embedded_broker("mosquitto") as broker,
        listening(broker.port) as listener,
    ):
        publisher = MqttSink(link_of_site(broker.peer, "home"), "home")
        await run(
            session_config(region="calf-left", athlete="a7k2"),
            sources=[ReplaySource(CALF, speed=40)],
            sinks=[SessionSink(store), publisher],
        )
        published = (await listener.until(lambda m: "/session/" in m.topic)).json()
        await listener.until_topic("bridge/status", b"offline")
    (stored,) = SessionStore(tmp_path / "sessions.db").newest()
    expected = offline(CALF)
    assert stored.session_id == published["session_id"]
    assert (published["athlete"], published["roller"]) == ("a7k2", "calf")
    assert published["region"] == "calf-left"
    assert published["strokes"] == stored.strokes == len(expected.strokes) == 8
    assert published["too_fast_strokes"] == expected.summary.too_fast_strokes == 3
    assert published["end"] == "user"
    assert stored.distance_m == pytest.approx(expected.summary.distance_m)
    strokes = [m.json() for m in listener.messages if m.leaf == "stroke"]
    assert [stroke["n"] for stroke in strokes] == list(range(1, 9))
    assert len([m for m in listener.messages if m.leaf == "live"]) > 5


async def test_stop_in_the_middle_of_a_session_stores_it(tmp_path):
    store = SessionStore(tmp_path / "sessions.db")
    live, stop = ListSink(), asyncio.Event()
    service = asyncio.create_task(
        run(sources=[ReplaySource(CALF, speed=40)], sinks=[SessionSink(store), live], stop=stop)
    )
    await live.until(StrokeEnded, count=3)
    stop.set()
    await service
    (stored,) = SessionStore(tmp_path / "sessions.db").newest()
    (ended,) = live.of(SessionEnded)
    assert stored.session_id == ended.summary.session_id
    assert stored.end == "user"
    assert 3 <= stored.strokes < 8
    assert live.closed


async def test_cancelling_the_service_stores_the_session_too(tmp_path):
    store = SessionStore(tmp_path / "sessions.db")
    live = ListSink()
    service = asyncio.create_task(
        run(sources=[ReplaySource(CALF, speed=40)], sinks=[SessionSink(store), live])
    )
    await live.until(StrokeEnded, count=2)
    service.cancel()
    with pytest.raises(asyncio.CancelledError):
        await service
    assert len(SessionStore(tmp_path / "sessions.db").newest()) == 1


async def test_neither_a_stuck_nor_a_failing_sink_stops_the_others(caplog):
    good, stuck = ListSink(), StuckSink()
    failing = FailingSink(StoreError("the disk is full."))
    await run(sources=[ReplaySource(CALF, None)], sinks=[stuck, failing, good], drain_s=0.05)
    counts = Counter(type(event) for _, event in good.taken)
    assert counts[StrokeEnded] == 8
    assert counts[SessionEnded] == 1
    assert len(failing.taken) == len(good.taken)
    assert all(sink.closed for sink in (good, stuck, failing))
    assert "sink stuck did not take" in caplog.text
    assert caplog.text.count("the disk is full.") == 1


async def test_a_dead_broker_never_stops_the_coaching(tmp_path):
    store = SessionStore(tmp_path / "sessions.db")
    live = ListSink()
    publisher = MqttSink(link_of_site(Peer(HOST, free_port()), "home"), "home")
    await run(sources=[ReplaySource(CALF, None)], sinks=[SessionSink(store), publisher, live])
    assert len(live.of(StrokeEnded)) == 8
    assert len(SessionStore(tmp_path / "sessions.db").newest()) == 1


async def test_two_rollers_are_two_sessions():
    sink = ListSink()
    config = Config(rollers=(RollerConfig(id="calf", sensor="trace:calf", athlete="a7k2"),))
    await run(config, sources=[ReplaySource(CALF, None), ReplaySource(BACK, None)], sinks=[sink])
    ends = {event.summary.athlete: event.summary for event in sink.of(SessionEnded)}
    assert ends["a7k2"].roller == "calf"
    assert ends["me"].roller.startswith("rt-")
    assert ends["a7k2"].session_id != ends["me"].session_id
    assert ends["me"].strokes == len(offline(BACK).strokes)
    for roller, event in sink.taken:
        if isinstance(event, SessionStarted | SessionEnded):
            assert roller.athlete == ("a7k2" if roller.id == "calf" else "me")


async def test_a_refused_sensor_leaves_no_trace_and_disturbs_nobody(caplog):
    sink = ListSink()
    config = Config(rollers=(RollerConfig(id="mine", sensor="name:Roller"),))
    source = ScriptedSource([*strokes_of("RT-1"), *strokes_of("RT-2")])
    await run(config, sources=[source], sinks=[sink])
    assert {roller.id for roller, _ in sink.taken} == {"mine"}
    assert len(sink.of(SessionEnded)) == 1
    assert caplog.text.count("RT-2) is refused") == 1


async def test_one_rollers_fault_does_not_reach_the_other(caplog):
    sink = ListSink()
    good, bad = strokes_of("RT-1"), strokes_of("RT-2")
    bad[100] = (bad[0][0], ImuSamples(np.array([9.9]), "not an array", None))
    both = [item for pair in zip(good, bad, strict=True) for item in pair]
    await run(sources=[ScriptedSource(both)], sinks=[sink])
    ends = {}
    for roller, event in sink.taken:
        if isinstance(event, SessionEnded):
            ends.setdefault(roller.id, []).append(event.summary.end)
    assert sorted(ends.values()) == [["recovered", "user"], ["user"]]
    assert caplog.text.count("Traceback") == 1


async def test_a_failing_source_is_logged_while_others_go_on(caplog):
    sink = ListSink()
    broken = ScriptedSource([], name="broken", then=InputError("no such thing."))
    await run(sources=[broken, ReplaySource(CALF, None)], sinks=[sink])
    assert "source broken has stopped: no such thing." in caplog.text
    assert len(sink.of(SessionEnded)) == 1


async def test_the_only_sources_fault_is_raised_after_a_clean_end_and_not_said_twice(caplog):
    sink = ListSink()
    source = ScriptedSource(strokes_of("RT-1"), then=InputError("cut off."))
    with pytest.raises(InputError, match="cut off"):
        await run(sources=[source], sinks=[sink])
    assert len(sink.of(SessionEnded)) == 1
    assert sink.closed
    assert "cut off" not in caplog.text


async def test_when_all_sources_have_failed_the_first_fault_is_raised():
    faults = [InputError("the first."), InputError("the second.")]
    sources = [ScriptedSource([], name=str(fault), then=fault) for fault in faults]
    with pytest.raises(InputError, match="the first"):
        await run(sources=sources, sinks=[])


async def test_a_sink_that_cannot_open_ends_the_service_with_its_own_fault():
    class Unopenable(ListSink):
        async def open(self):
            raise StoreError("not a database.")

    waiting = ScriptedSource([], then="wait")
    good = ListSink()
    with pytest.raises(StoreError, match="not a database"):
        await run(sources=[waiting], sinks=[good, Unopenable()])
    assert good.closed


async def test_an_unknown_protocol_is_an_error_before_anything_starts():
    sink = ListSink()
    with pytest.raises(UsageError, match="no-such"):
        await run(Config(protocol="no-such"), sources=[], sinks=[sink])
    assert not sink.closed


async def test_a_forced_radius_scales_every_speed():
    small, large = ListSink(), ListSink()
    await run(sources=[ReplaySource(CALF, None)], sinks=[small], radius_m=0.075)
    await run(sources=[ScriptedSource(strokes_of("RT-1"))], sinks=[large], radius_m=0.15)
    assert small.of(SessionEnded)[0].summary.distance_m == pytest.approx(
        offline(CALF).summary.distance_m
    )
    assert {roller.radius_m for roller, _ in large.taken} == {0.15}


async def test_sessions_of_two_starts_have_different_ids():
    ids = set()
    for _ in range(2):
        sink = ListSink()
        await run(sources=[ReplaySource(CALF, None)], sinks=[sink])
        ids.add(sink.of(SessionEnded)[0].summary.session_id)
    assert len(ids) == 2


async def test_live_speeds_reach_the_sinks_while_the_source_still_runs():
    sink, stop = ListSink(), asyncio.Event()
    source = ScriptedSource(strokes_of("RT-1"), then="wait")
    service = asyncio.create_task(run(sources=[source], sinks=[sink], stop=stop))
    await sink.until(LiveSpeed)
    assert not service.done()
    await source.done.wait()
    stop.set()
    await service
    assert isinstance(sink.of(SessionEnded)[0], SessionEnded)


class HeldUpSource(ScriptedSource):
    """Holds the event loop up until the service says that it is in a hurry."""

    def __init__(self, items, gauges):
        super().__init__(items)
        self.gauges = gauges

    async def run(self, deliver):
        while not self.gauges["hurried"]():
            time.sleep(0.6)  # noqa: ASYNC251  # holding the loop up is what this is about
            await asyncio.sleep(0)
        await super().run(deliver)


async def test_a_machine_that_cannot_keep_up_says_live_speed_less_often():
    items, sink, gauges = strokes_of("7"), ListSink(), {}
    await run(sources=[HeldUpSource(items, gauges)], sinks=[sink], gauges=gauges)
    assert gauges["hurried"]() == 1
    alone = Tracker(Setup("x", "me", load_protocol("slow-release"), 0.075))
    readings = [item for _, item in items if isinstance(item, ImuSamples)]
    events = [event for part in readings for event in alone.feed(part)] + alone.finish()
    usual = sum(isinstance(event, LiveSpeed) for event in events)
    assert 0 < len(sink.of(LiveSpeed)) < 0.4 * usual
    (ended,), (expected,) = (
        sink.of(SessionEnded),
        [e for e in events if isinstance(e, SessionEnded)],
    )
    assert ended.strokes == expected.strokes
    assert len(ended.strokes) >= 2


class HoldingSink(ListSink):
    """Holds the event loop up a few times, as a lot of work does."""

    async def handle(self, roller, outgoing):
        await super().handle(roller, outgoing)
        if isinstance(outgoing, LiveSpeed) and len(self.of(LiveSpeed)) <= 3:
            time.sleep(0.6)  # noqa: ASYNC251  # holding the loop up is what this is about


async def test_a_replay_that_takes_all_the_time_there_is_is_not_a_machine_that_lags(caplog):
    sink, gauges = HoldingSink(), {}
    await run(sources=[ReplaySource(CALF, None)], sinks=[sink], gauges=gauges)
    assert len(sink.of(LiveSpeed)) > 3
    assert gauges["hurried"]() == 0
    assert "cannot keep up" not in caplog.text


async def test_after_such_a_replay_a_machine_that_lags_is_noticed_again(tmp_path):
    short = tmp_path / "short.csv"
    rows = "".join(f"{n / 100:.2f},0.0,0.0,9.81\n" for n in range(200))
    short.write_text(f"t_s,ax_mps2,ay_mps2,az_mps2\n{rows}")
    gauges = {}
    sources = [ReplaySource(short, None), HeldUpSource(strokes_of("7", 1.0), gauges)]
    await run(sources=sources, sinks=[], gauges=gauges)
    assert gauges["hurried"]() == 1


async def test_a_sensor_whose_clock_was_set_dates_its_next_session_anew():
    first = strokes_of("7")
    set_ahead = replace(first[0][0], epoch_unix_s=first[0][0].epoch_unix_s + 86_400.0)
    later = [
        (set_ahead, replace(item, t_s=item.t_s + 300.0))
        for _, item in first
        if isinstance(item, ImuSamples)
    ]
    sink = ListSink()
    await run(sources=[ScriptedSource([*first, *later])], sinks=[sink])
    one, other = (ended.summary.started_unix_s for ended in sink.of(SessionEnded))
    assert other - one == pytest.approx(86_400.0 + 300.0)
