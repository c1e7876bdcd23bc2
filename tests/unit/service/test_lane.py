from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rolltrack.config import Config
from rolltrack.core.events import BatteryLevel, LinkChanged, LiveSpeed, SessionEnded, SessionStarted
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.service.identity import Register
from rolltrack.service.lane import Lane
from rolltrack.sources.source import Sensor, TimePassed

SENSOR = Sensor("ble", "RT-1", "Roller", epoch_unix_s=1_763_900_000.0, radius_m=0.075)
FS_HZ = 100.0


def rolling(start_s: float, duration_s: float) -> ImuSamples:
    """Strokes back and forth on a turning roller, seen by its gyroscope."""
    t_s = start_s + np.arange(round(duration_s * FS_HZ)) / FS_HZ
    gyro_radps = np.zeros((len(t_s), 3))
    gyro_radps[:, 2] = 0.6 * np.sin(2 * np.pi * t_s / 8)
    return ImuSamples(t_s, None, gyro_radps)


def broken(start_s: float) -> ImuSamples:
    """Something no decoder makes, and no tracker is made for."""
    return ImuSamples(np.array([start_s]), "not an array", None)


@pytest.fixture
def lane():
    return Lane(SENSOR, Register(Config()).admit(SENSOR), idle_s=60.0)


def kinds(outgoing):
    return [type(each) for each in outgoing]


def test_readings_lead_to_a_session_and_finish_ends_it(lane):
    readings = rolling(0, 20)
    outgoing = lane.take(readings)
    assert outgoing[0] is readings
    assert SessionStarted in kinds(outgoing)
    (end,) = [each for each in lane.finish("user") if isinstance(each, SessionEnded)]
    assert end.summary.strokes > 2
    assert end.summary.end == "user"
    assert end.summary.roller == lane.roller.id


def test_facts_about_the_link_pass_by_the_tracker(lane):
    for item in (LinkChanged(0.0, up=True), BatteryLevel(0.0, 80)):
        assert lane.take(item) == [item]
    gap = SignalGap(0.0, 1.0, lost=3)
    assert lane.take(gap) == [gap]


def test_silence_ends_a_session(lane):
    lane.take(rolling(0, 20))
    assert SessionEnded not in kinds(lane.take(TimePassed(30.0)))
    outgoing = lane.take(TimePassed(81.0))
    assert SessionEnded in kinds(outgoing)
    assert not lane.finish("user")


def test_unusable_readings_are_named_once_and_the_roller_goes_on(lane, caplog):
    lane.take(rolling(0, 10))
    for late_s in (1.0, 2.0, 3.0):
        lane.take(rolling(late_s, 0.5))
    assert len(caplog.records) == 1
    assert caplog.records[0].levelname == "WARNING"
    assert f'roller "{lane.roller.id}": readings at' in caplog.text
    assert LiveSpeed in kinds(lane.take(rolling(10, 10)))
    (end,) = [each for each in lane.finish("user") if isinstance(each, SessionEnded)]
    assert end.summary.samples > 1900


def test_an_unexpected_fault_saves_the_session_and_starts_over(lane, caplog):
    lane.take(rolling(0, 20))
    outgoing = lane.take(broken(20.0))
    (end,) = [each for each in outgoing if isinstance(each, SessionEnded)]
    assert end.summary.end == "recovered"
    assert end.summary.strokes > 2
    assert "Traceback" in caplog.text
    assert SessionStarted in kinds(lane.take(rolling(21, 20)))
    (second,) = [each for each in lane.finish("user") if isinstance(each, SessionEnded)]
    assert second.summary.session_id != end.summary.session_id


def test_a_clock_that_is_set_moves_the_next_session_and_not_the_open_one(lane):
    before = lane.roller.epoch_unix_s
    lane.take(rolling(0, 20))
    lane.set_clock(3600.0)
    lane.take(rolling(20, 10))
    (first,) = [e for e in lane.take(TimePassed(100.0)) if isinstance(e, SessionEnded)]
    assert first.summary.ended_unix_s < before + 60
    lane.take(rolling(101, 20))
    assert lane.roller.epoch_unix_s == before + 3600
    (second,) = [e for e in lane.finish("user") if isinstance(e, SessionEnded)]
    assert before + 3700 < second.summary.started_unix_s < before + 3710
    assert second.summary.strokes > 2


def live_speeds(lane, start_s):
    return kinds(lane.take(rolling(start_s, 20))).count(LiveSpeed)


@pytest.mark.parametrize("event", ["fault", "clock"])
def test_a_lane_in_a_hurry_stays_in_one_whatever_becomes_of_its_tracker(lane, event):
    usual = live_speeds(Lane(SENSOR, Register(Config()).admit(SENSOR), idle_s=60.0), 0)
    lane.hurry(hurried=True)
    if event == "fault":
        lane.take(broken(0.0))
    else:
        lane.set_clock(3600.0)
    assert 0 < live_speeds(lane, 1) < 0.4 * usual


def test_a_sensor_whose_clock_was_set_dates_the_next_session_and_not_the_open_one(lane):
    lane.take(rolling(0, 20))
    before = lane.roller.epoch_unix_s
    lane.meet(replace(SENSOR, epoch_unix_s=SENSOR.epoch_unix_s + 7200))
    lane.take(rolling(20, 10))
    assert lane.roller.epoch_unix_s == before
    (first,) = [e for e in lane.take(TimePassed(100.0)) if isinstance(e, SessionEnded)]
    assert first.summary.ended_unix_s < before + 60
    lane.take(rolling(101, 20))
    lane.meet(SENSOR)
    lane.meet(SENSOR)
    (second,) = [e for e in lane.finish("user") if isinstance(e, SessionEnded)]
    assert before + 7300 < second.summary.started_unix_s < before + 7310
    lane.take(rolling(130, 1))
    assert lane.roller.epoch_unix_s == before


def test_a_recording_that_is_sent_again_is_another_session(lane):
    lane.take(rolling(0, 20))
    (first,) = [e for e in lane.take(TimePassed(100.0)) if isinstance(e, SessionEnded)]
    lane.meet(replace(SENSOR, epoch_unix_s=SENSOR.epoch_unix_s - 128.0))
    again = rolling(0, 20)
    lane.take(replace(again, t_s=again.t_s + 128.0))
    (second,) = [e for e in lane.finish("user") if isinstance(e, SessionEnded)]
    assert second.summary.started_unix_s == first.summary.started_unix_s
    assert second.summary.session_id != first.summary.session_id
