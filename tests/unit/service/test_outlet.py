from __future__ import annotations

import asyncio
import logging

import numpy as np
import pytest
from support import sample_events as sample
from support.sinks import FailingSink, ListSink, StuckSink

from rolltrack.core.events import Alert, LiveSpeed, SessionEnded, StrokeEnded
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.errors import StoreError
from rolltrack.service.outlet import Outlet


async def served(outlet: Outlet, events) -> None:
    for event in events:
        outlet.put(sample.ROLLER, event)
    outlet.finish()
    await outlet.run()


async def test_everything_arrives_in_order_and_the_sink_is_closed():
    sink = ListSink()
    events = [sample.started(), sample.live(1), sample.stroke_ended(), sample.live(2)]
    await served(Outlet(sink), events)
    assert [event for _, event in sink.taken] == events
    assert sink.closed


async def test_readings_go_only_where_they_are_wanted():
    readings = ImuSamples(np.array([0.0]), np.array([[0.0, 0.0, 9.81]]))
    events = [readings, SignalGap(0.0, 1.0), sample.live()]
    deaf, keen = ListSink(), ListSink(wants_samples=True)
    await served(Outlet(deaf), events)
    await served(Outlet(keen), events)
    assert [event for _, event in deaf.taken] == events[2:]
    assert [event for _, event in keen.taken] == events


async def test_overflow_drops_the_oldest_live_data_and_nothing_finished():
    sink = ListSink()
    finished = [sample.stroke_ended(), sample.alert(), sample.ended()]
    events = [*(sample.live(t) for t in range(50)), *finished]
    events += [sample.live(50 + t) for t in range(50)]
    outlet = Outlet(sink, capacity=13)
    await served(outlet, events)
    assert sink.of(StrokeEnded, Alert, SessionEnded) == finished
    assert [event.t_s for event in sink.of(LiveSpeed)] == list(range(90, 100))
    assert outlet.dropped == 90


async def test_finished_things_are_kept_beyond_the_capacity():
    sink = ListSink()
    sessions = [sample.ended(f"session-{n}") for n in range(20)]
    outlet = Outlet(sink, capacity=5)
    await served(outlet, [sample.live(), *sessions, sample.live()])
    assert sink.of(SessionEnded) == sessions
    assert not sink.of(LiveSpeed)


@pytest.mark.parametrize("fault", [StoreError("disk full."), ValueError("a bug")])
async def test_a_failing_sink_is_asked_again_and_named_once_in_the_log(fault, caplog):
    sink = FailingSink(fault)
    await served(Outlet(sink), [sample.stroke_ended(n) for n in range(1, 6)])
    assert len(sink.taken) == 5
    assert sink.closed
    assert [record.getMessage().startswith("sink failing") for record in caplog.records] == [True]
    assert (caplog.records[0].exc_info is not None) == isinstance(fault, ValueError)


async def test_a_stuck_sink_is_given_up_at_the_end_and_still_closed(caplog):
    sink = StuckSink()
    outlet = Outlet(sink, drain_s=0.01)
    running = asyncio.create_task(outlet.run())
    outlet.put(sample.ROLLER, sample.ended())
    outlet.put(sample.ROLLER, sample.live())
    await sink.reached.wait()
    outlet.finish()
    await running
    assert sink.closed
    assert "sink stuck did not take its last 2 events" in caplog.text


async def test_a_sink_that_fails_to_close_is_logged(caplog):
    class Unclosable(ListSink):
        async def close(self):
            raise StoreError("no room.")

    await served(Outlet(Unclosable()), [])
    assert "no room." in caplog.text


async def test_a_sink_that_cannot_be_opened_is_an_error():
    class Unopenable(ListSink):
        async def open(self):
            raise StoreError("not a database.")

    sink = Unopenable()
    with pytest.raises(StoreError, match="not a database"):
        await Outlet(sink).run()
    assert not sink.closed


async def test_dropping_is_said_once_and_counted_at_the_end(caplog):
    caplog.set_level(logging.INFO)
    await served(Outlet(ListSink(), capacity=1), [sample.live(t) for t in range(9)])
    assert caplog.text.count("is too slow") == 1
    assert "8 live data were dropped" in caplog.text
