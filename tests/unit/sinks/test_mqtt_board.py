import json
from dataclasses import replace

from support import sample_events as sample

from rolltrack.core.events import BatteryLevel, LinkChanged, SessionDiscarded
from rolltrack.sinks.mqtt_board import RollerBoard
from rolltrack.wire import Topics


def new_board():
    return RollerBoard(sample.ROLLER, Topics("home"))


def leaves(messages):
    return [message.topic.rsplit("/", 1)[-1] for message in messages]


def last_state(board, now_s=1e6):
    (message,) = [m for m in board.due(now_s) if m.topic.endswith("/state")]
    assert message.retain
    return json.loads(message.body)


def test_a_live_speed_is_published_at_once_without_retain_and_without_acknowledgement():
    live, state = new_board().take(sample.live(), now_s=0.0)
    assert (live.topic, live.qos, live.retain) == (
        "rolltrack/v1/home/a/a7k2/rt-3f2a/live",
        0,
        False,
    )
    assert (state.qos, state.retain) == (1, True)


def test_live_speeds_come_at_most_ten_times_a_second_and_the_newest_wins():
    board = new_board()
    sent = []
    for step in range(200):  # 2 s of events at 100 Hz
        sent += board.take(sample.live(t_s=step / 100, speed_mps=0.001 * step), now_s=step / 100)
    live = [json.loads(m.body) for m in sent if m.topic.endswith("/live")]
    assert 19 <= len(live) <= 21
    assert [each["seq"] for each in live] == list(range(1, len(live) + 1))
    held = json.loads(board.due(now_s=2.1)[0].body)
    assert held["speed_mm_s"] == 199.0
    assert not board.holds


def test_the_state_follows_at_most_once_a_second_and_the_last_change_is_not_lost():
    board = new_board()
    sent = []
    for step in range(40):
        sent += board.take(sample.live(speed_mps=0.001 * step), now_s=step / 10)
    assert leaves(sent).count("state") == 4
    assert last_state(board)["speed_mm_s"] == 39.0
    assert not board.holds


def test_an_unchanged_state_is_not_said_again():
    board = new_board()
    board.take(sample.live(t_s=1), now_s=0.0)
    assert leaves(board.take(sample.live(t_s=9), now_s=9.0)) == ["live"]


def test_the_snapshot_counts_the_strokes_of_the_session():
    board = new_board()
    board.take(sample.started(), now_s=0.0)
    board.take(sample.stroke_ended(1), now_s=0.1)
    board.take(sample.stroke_ended(2, too_fast=True), now_s=0.2)
    state = last_state(board)
    assert (state["strokes"], state["too_fast_strokes"]) == (2, 1)
    assert state["session_id"] == sample.SESSION_ID


def test_a_session_is_published_twice_and_only_one_copy_is_retained():
    messages = new_board().take(sample.ended(), now_s=0.0)
    session, last = messages[:2]
    assert session.topic == f"rolltrack/v1/home/a/a7k2/session/{sample.SESSION_ID}"
    assert (session.retain, session.keep) == (False, True)
    assert last.topic == "rolltrack/v1/home/a/a7k2/last-session"
    assert last.retain
    assert session.body == last.body


def test_after_a_session_no_old_speed_stays_behind():
    board = new_board()
    board.take(sample.started(), now_s=0.0)
    board.take(sample.live(speed_mps=0.09, too_fast=True), now_s=0.1)
    board.take(sample.live(speed_mps=0.09, too_fast=True), now_s=0.11)
    board.take(sample.ended(), now_s=0.12)
    messages = board.due(now_s=5.0)
    assert leaves(messages) == ["state"]
    state = json.loads(messages[0].body)
    assert (state["state"], state["speed_mm_s"], state["too_fast"]) == ("idle", 0.0, False)
    assert (state["session_id"], state["strokes"]) == (None, 0)


def test_a_discarded_session_leaves_the_roller_idle_and_publishes_no_summary():
    board = new_board()
    board.take(sample.started(), now_s=0.0)
    board.take(SessionDiscarded(t_s=70.0, session_id=sample.SESSION_ID), now_s=0.5)
    messages = board.due(now_s=5.0)
    assert leaves(messages) == ["state"]
    assert json.loads(messages[0].body)["state"] == "idle"


def test_a_roller_at_rest_is_quiet_although_its_speed_is_never_quite_zero():
    board = new_board()
    for step in range(30):
        event = sample.live(t_s=step, speed_mps=0.0001 * (step % 3), state="idle", session_id=None)
        messages = board.take(event, now_s=float(step))
        assert ("state" in leaves(messages)) == (step == 0)


def test_a_lost_link_makes_the_roller_offline_and_its_speed_unknown():
    board = new_board()
    online, state = board.take(LinkChanged(t_s=0.0, up=True), now_s=0.0)
    assert (online.body, online.retain) == (b"online", True)
    assert json.loads(state.body)["state"] == "unknown"
    board.take(sample.live(too_fast=True), now_s=2e6)
    messages = board.take(LinkChanged(t_s=9.0, up=False), now_s=3e6)
    assert leaves(messages) == ["availability", "state"]
    assert messages[0].body == b"offline"
    state = json.loads(messages[1].body)
    assert (state["state"], state["speed_mm_s"], state["too_fast"]) == ("unknown", None, False)


def test_the_battery_is_part_of_the_snapshot():
    board = new_board()
    board.take(sample.live(), now_s=0.0)
    board.take(BatteryLevel(t_s=1.0, percent=87), now_s=0.1)
    assert last_state(board)["battery_pct"] == 87


def test_alerts_are_numbered_and_not_retained():
    board = new_board()
    raised = board.take(sample.alert("raised"), now_s=0.0)[0]
    cleared = board.take(sample.alert("cleared"), now_s=0.0)[0]
    assert [json.loads(m.body)["seq"] for m in (raised, cleared)] == [1, 2]
    assert (raised.qos, raised.retain) == (1, False)


def test_leaving_says_what_is_still_held_and_takes_the_roller_offline():
    board = new_board()
    board.take(LinkChanged(t_s=0.0, up=True), now_s=0.0)
    board.take(sample.ended(), now_s=0.1)
    state, availability = board.leave()
    assert json.loads(state.body)["state"] == "idle"
    assert (availability.body, availability.retain) == (b"offline", True)


def test_a_clock_that_is_set_back_does_not_leave_the_snapshot_in_the_future():
    board = new_board()
    board.take(sample.live(t_s=10), now_s=0.0)
    earlier = replace(sample.ROLLER, epoch_unix_s=sample.ROLLER.epoch_unix_s - 86400)
    board.follow(earlier)
    board.take(sample.live(t_s=20, speed_mps=0.01), now_s=5.0)
    board.take(sample.live(t_s=21, speed_mps=0.02), now_s=5.1)
    assert last_state(board)["ts"] == round((earlier.epoch_unix_s + 21) * 1000)
