"""Sessions in progress, journalled, and recovered as after a kill."""

from __future__ import annotations

import itertools

import pytest
from support import rolling

from rolltrack.config import Config
from rolltrack.core.events import Alert, SessionEnded, SessionStarted, StrokeEnded
from rolltrack.core.sample import ImuSamples
from rolltrack.core.tracker import Tracker
from rolltrack.errors import UsageError
from rolltrack.service import Journalist, Room, recover
from rolltrack.service.identity import Register
from rolltrack.service.lane import Lane
from rolltrack.sources.source import Sensor
from rolltrack.store import SessionStore

ROLL = rolling.to_and_fro([0.2, -0.2, 0.2, -0.2], 0.06, lead_s=4.0)


@pytest.fixture
def store(tmp_path):
    opened = SessionStore(tmp_path / "rolltrack.db", delivers=True)
    yield opened
    opened.close()


def blocks(samples, n=10):
    return [samples[at : at + n] for at in range(0, len(samples), n)]


async def journalled(folder, samples, room=None, *, start=False):
    """Feed a tracker, journal it every second, and die; returns what it had said."""
    journalist = Journalist(folder, room or Room())
    tracker = Tracker(rolling.setup(id_salt=b"salt", epoch_unix_s=1_763_900_000.0))
    events = []
    if start:
        events = tracker.start(0.0)
        journalist.note(tracker.setup, None, events)
    for n, block in enumerate(blocks(samples)):
        told = tracker.feed(block)
        journalist.note(tracker.setup, block, told)
        events += told
        if n % 10 == 9:
            await journalist.write(sync=False)
    journalist.close()
    return tracker, events, journalist


async def test_a_session_cut_off_is_recovered_under_its_id_with_its_strokes(tmp_path, store):
    end = int(0.8 * len(ROLL.samples))
    _, events, _ = await journalled(tmp_path / "j", ROLL.samples[:end])
    (started,) = [e for e in events if isinstance(e, SessionStarted)]
    (summary,) = recover(tmp_path / "j", store)
    assert summary.session_id == started.session_id
    assert summary.end == "recovered"
    told = len([e for e in events if isinstance(e, StrokeEnded)])
    assert told >= 2
    assert summary.strokes in (told, told + 1)  # the last one was cut off
    stored = store.get(summary.session_id)
    assert len(stored.strokes) == summary.strokes
    for judged in stored.strokes[:told]:
        assert judged.stroke.length_m == pytest.approx(0.2, rel=0.02)
    assert [s.session_id for _, s in store.undelivered()] == [summary.session_id]
    assert list((tmp_path / "j").iterdir()) == []
    assert list(recover(tmp_path / "j", store)) == []


async def test_a_limit_set_meanwhile_judges_what_came_after_it_in_the_recovered_session_too(
    tmp_path, store
):
    journalist = Journalist(tmp_path / "j", Room())
    tracker = Tracker(rolling.setup(id_salt=b"salt"))
    for n, block in enumerate(blocks(ROLL.samples)):
        journalist.note(tracker.setup, block, tracker.feed(block))
        if n == len(ROLL.samples) // 20:
            journalist.note(tracker.setup, None, tracker.set_limit(0.04))
    await journalist.write(sync=False)
    journalist.close()
    (summary,) = recover(tmp_path / "j", store)
    verdicts = [judged.too_fast for judged in store.get(summary.session_id).strokes]
    assert verdicts == [False, False, True, True]
    assert summary.limit_mps == 0.04


async def test_a_journal_that_breaks_the_tracker_stays_and_keeps_nobody_from_starting(
    tmp_path, store
):
    """A radius that nothing checks on its way into a journal is as good a way as any."""
    journalist = Journalist(tmp_path / "j", Room())
    broken = Tracker(rolling.setup(radius_m=-1.0, live=False, start_at_once=True))
    told = broken.start(0.0)
    journalist.note(broken.setup, None, told)
    for block in blocks(ROLL.samples):
        journalist.note(broken.setup, block, [])
    await journalist.write(sync=False)
    journalist.close()
    assert list(recover(tmp_path / "j", store)) == []
    assert len(list((tmp_path / "j").iterdir())) == 1


async def test_a_session_that_was_stored_before_the_kill_is_not_stored_twice(tmp_path, store):
    tracker, _, _ = await journalled(tmp_path / "j", ROLL.samples)
    (ended,) = [e for e in tracker.finish() if isinstance(e, SessionEnded)]
    store.add(ended.summary, ended.strokes)
    list(recover(tmp_path / "j", store))
    (only,) = store.newest()
    assert only.end == "user"
    assert store.waiting() == 1


async def test_a_stored_session_has_no_journal_any_more(tmp_path):
    tracker, _, journalist = await journalled(tmp_path / "j", ROLL.samples)
    assert len(list((tmp_path / "j").iterdir())) == 1
    told = tracker.finish()
    journalist.note(tracker.setup, None, told)
    (ended,) = [e for e in told if isinstance(e, SessionEnded)]
    assert len(list((tmp_path / "j").iterdir())) == 1  # not before it is in the store
    journalist.stored(ended.summary.session_id)
    assert list((tmp_path / "j").iterdir()) == []


async def test_a_session_that_ended_and_waits_for_the_store_is_journalled_to_its_end(
    tmp_path, store
):
    journalist = Journalist(tmp_path / "j", Room())
    tracker = Tracker(rolling.setup(id_salt=b"salt", epoch_unix_s=1_763_900_000.0))
    told = [*tracker.feed(ROLL.samples), *tracker.finish()]
    journalist.note(tracker.setup, ROLL.samples, told)
    await journalist.write(sync=True)  # the store has not said that it has it
    journalist.close()
    (summary,) = recover(tmp_path / "j", store)
    (ended,) = [e for e in told if isinstance(e, SessionEnded)]
    assert (summary.session_id, summary.strokes) == (ended.summary.session_id, 4)


async def test_a_session_in_which_nothing_was_rolled_yet_is_dropped(tmp_path, store):
    await journalled(tmp_path / "j", ROLL.samples[:300], start=True)
    assert len(list((tmp_path / "j").iterdir())) == 1
    assert list(recover(tmp_path / "j", store)) == []
    assert list((tmp_path / "j").iterdir()) == []


def lane_with(room):
    sensor = Sensor("ble", "RT-1", "Roller", epoch_unix_s=1_763_900_000.0, radius_m=0.075)
    return Lane(sensor, Register(Config()).admit(sensor), idle_s=60.0, room=room)


async def test_without_room_no_session_is_begun_and_the_roller_says_so(tmp_path, caplog):
    room = Room()
    lane = lane_with(room)
    room.report("journal", room=False)
    told = list(itertools.chain(*(lane.take(block) for block in blocks(ROLL.samples))))
    assert not [e for e in told if isinstance(e, SessionStarted)]
    (alert,) = [e for e in told if isinstance(e, Alert)]
    assert (alert.kind, alert.phase) == ("store_full", "raised")
    assert "no new ones are begun" in caplog.text
    with pytest.raises(UsageError, match="no room to keep sessions"):
        lane.start()
    room.report("journal", room=True)
    later = ROLL.samples
    later = ImuSamples(later.t_s + 100.0, later.accel_mps2, later.gyro_radps)
    told = list(itertools.chain(*(lane.take(block) for block in blocks(later))))
    assert [e.phase for e in told if isinstance(e, Alert) and e.kind == "store_full"] == ["cleared"]
    assert [e for e in told if isinstance(e, SessionStarted)]


async def test_a_folder_that_cannot_be_written_is_noticed_and_so_is_its_return(tmp_path, store):
    room = Room()
    obstacle = tmp_path / "j"
    obstacle.write_text("a file where the folder should be")
    _, events, journalist = await journalled(obstacle, ROLL.samples, room)
    assert room.full
    assert len([e for e in events if isinstance(e, StrokeEnded)]) >= 2
    obstacle.unlink()
    await journalist.write(sync=True)
    assert not room.full
    assert len(list(obstacle.iterdir())) == 1
    journalist.close()
    (summary,) = recover(obstacle, store)
    assert summary.strokes == 4  # what was rolled meanwhile has waited
