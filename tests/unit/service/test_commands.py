"""What an order does to a roller's lane, and what is answered."""

from __future__ import annotations

import pytest
from support.rolling import to_and_fro

from rolltrack.config import Config, RollerConfig
from rolltrack.core.events import (
    BatteryLevel,
    LimitSet,
    LinkChanged,
    SessionDiscarded,
    SessionEnded,
    SessionStarted,
)
from rolltrack.service.commands import carry_out, find_lane
from rolltrack.service.identity import Register
from rolltrack.service.lane import Lane
from rolltrack.sources.orders import Order
from rolltrack.sources.source import Sensor, TimePassed

SENSOR = Sensor("ble", "RT-1", "Roller", epoch_unix_s=1_763_900_000.0, radius_m=0.075)
METRE = to_and_fro([1.0], 0.15, lead_s=4.0, radius_m=0.07).samples
STROKES = to_and_fro([0.3, -0.3, 0.3], 0.1).samples


class Desk:
    """One roller, whom one asks."""

    def __init__(self, **roller):
        config = Config(rollers=(RollerConfig(id="rt-1", **roller),))
        self.lane = Lane(SENSOR, Register(config).admit(SENSOR), idle_s=60.0)
        self.answers = []
        self.lane.take(LinkChanged(0.0, up=True))

    def ask(self, name, **values):
        order = Order("me", "rt-1", name, **values)
        return carry_out(self.lane, order, self.answers.append)

    def feed(self, samples, after_s=0.0):
        outgoing = []
        for start in range(0, len(samples), 10):
            packet = samples[start : start + 10]
            moved = type(packet)(packet.t_s + after_s, packet.accel_mps2, packet.gyro_radps)
            outgoing += self.lane.take(moved)
        return outgoing

    @property
    def answer(self):
        return self.answers[-1]


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_start_opens_a_session_and_twice_is_no_harm():
    desk = Desk()
    assert of(desk.ask("start"), SessionStarted)
    assert (desk.answer.ok, desk.answer.text) == (True, "A session has begun.")
    assert desk.ask("start") == []
    assert desk.answer.ok
    assert "goes on" in desk.answer.text


def test_stop_ends_the_session_as_the_users_wish():
    desk = Desk()
    desk.feed(STROKES)
    (ended,) = of(desk.ask("stop"), SessionEnded)
    assert (ended.summary.end, ended.summary.strokes) == ("user", 3)
    assert desk.answer.text == "The session has ended, with 3 strokes."
    assert desk.ask("stop") == []
    assert (desk.answer.ok, desk.answer.text) == (True, "No session was under way.")


def test_stop_right_after_the_roller_was_only_moved_keeps_nothing():
    desk = Desk()
    desk.feed(to_and_fro([0.02], 0.05).samples)
    assert of(desk.ask("stop"), SessionDiscarded)
    assert "nothing is kept" in desk.answer.text


def test_set_limit_is_told_at_once_and_survives_a_fault():
    desk = Desk()
    assert desk.ask("set-limit", limit_mps=0.04) == [LimitSet(0.0, 0.04)]
    assert (desk.answer.ok, desk.answer.limit_mps) == (True, 0.04)
    assert "until the service restarts" in desk.answer.text
    assert desk.lane.roller.limit_mps == 0.04
    desk.lane.take(type(STROKES)(STROKES.t_s[:5], "not an array", None))  # starts over
    desk.feed(STROKES, after_s=10.0)
    (ended,) = of(desk.ask("stop"), SessionEnded)
    assert (ended.summary.limit_mps, ended.summary.too_fast_strokes) == (0.04, 3)


@pytest.mark.parametrize("limit_mps", [float("nan"), float("inf"), -0.05, 0.0, 0.001, 50.0])
def test_a_limit_that_none_can_keep_to_is_refused_and_changes_nothing(limit_mps):
    desk = Desk()
    assert desk.ask("set-limit", limit_mps=limit_mps) == []
    assert (desk.answer.ok, desk.answer.limit_mps) == (False, None)
    assert "limit" in desk.answer.text
    assert desk.lane.roller.limit_mps == desk.lane.setup.protocol.max_stroke_speed_mps == 0.075


def test_calibrate_answers_twice_and_uses_the_radius_from_then_on():
    desk = Desk()
    assert desk.ask("calibrate", distance_m=1.0) == []
    assert (desk.answer.ok, desk.answer.final) == (True, False)
    assert of(desk.feed(METRE), SessionStarted) == []
    _, done = desk.answers
    assert (done.ok, done.final) == (True, True)
    assert done.radius_m == pytest.approx(0.07, rel=0.005)
    assert f"radius_m = {done.radius_m:.4f}" in done.text
    assert desk.lane.roller.radius_m == done.radius_m
    true_m = 0.3 * 3
    desk.feed(to_and_fro([0.3, -0.3, 0.3], 0.1, radius_m=0.07).samples, after_s=60.0)
    (ended,) = of(desk.ask("stop"), SessionEnded)
    assert ended.summary.distance_m == pytest.approx(true_m, rel=0.02)


def test_a_calibration_under_way_takes_stop_limit_and_facts_but_no_start():
    desk = Desk()
    desk.ask("calibrate", distance_m=1.0)
    for name, values in (("start", {}), ("calibrate", {"distance_m": 1.0})):
        desk.ask(name, **values)
        assert not desk.answer.ok
        assert "calibration is under way" in desk.answer.text
    assert desk.lane.take(BatteryLevel(1.0, 80)) == [BatteryLevel(1.0, 80)]
    desk.ask("set-limit", limit_mps=0.05)
    assert desk.answer.ok
    desk.ask("stop")
    failed, ended = desk.answers[-2:]
    assert not failed.ok
    assert "0 passes" in failed.text
    assert ended.text == "The calibration has ended."
    assert of(desk.feed(STROKES, after_s=10.0), SessionStarted)


def test_a_calibration_without_a_roll_is_given_up_and_the_roller_goes_on():
    desk = Desk()
    desk.ask("calibrate", distance_m=1.0)
    desk.lane.take(TimePassed(1.0))
    desk.lane.take(TimePassed(100.0))
    assert (desk.answer.ok, desk.answer.final) == (False, True)
    assert "Send calibrate again" in desk.answer.text
    assert of(desk.feed(STROKES, after_s=110.0), SessionStarted)


def test_the_end_of_the_service_ends_a_calibration_with_an_answer():
    desk = Desk()
    desk.ask("calibrate", distance_m=1.0)
    desk.lane.finish("user")
    assert "The service has stopped" in desk.answer.text


@pytest.mark.parametrize("name", ["start", "calibrate"])
def test_a_roller_that_is_away_cannot_start(name):
    desk = Desk()
    desk.lane.take(LinkChanged(1.0, up=False))
    assert desk.ask(name, distance_m=1.0) == []
    assert not desk.answer.ok
    assert desk.answer.text.startswith("The roller is not connected. Switch it on")


def test_calibrate_in_a_session_says_to_stop_first():
    desk = Desk()
    desk.feed(STROKES)
    desk.ask("calibrate", distance_m=1.0)
    assert desk.answer.text == "A session is under way. Send stop first, then calibrate."


def test_a_ball_is_not_calibrated_by_rolling():
    desk = Desk(shape="ball")
    desk.ask("calibrate", distance_m=1.0)
    assert not desk.answer.ok
    assert "radius_m" in desk.answer.text


@pytest.mark.parametrize(("athlete", "roller"), [("me", "rt-9"), ("other", "rt-1")])
def test_a_roller_that_is_not_theirs_is_not_found(athlete, roller):
    desk = Desk()
    with pytest.raises(Exception, match=f'"{athlete}" has no roller "{roller}"'):
        find_lane([None, desk.lane], Order(athlete, roller, "stop"))
