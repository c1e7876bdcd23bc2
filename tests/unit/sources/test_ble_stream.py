"""One roller's stream, fed by hand: packets, lost links and a clock the test turns."""

import logging
import struct

import numpy as np
import pytest

from rolltrack.core.events import BatteryLevel, LinkChanged
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.sensors.decoders.roller_v1 import RollerInfo, RollerV1Decoder
from rolltrack.sources.ble_stream import RollerStream
from rolltrack.sources.source import Sensor, TimePassed

INFO = RollerInfo(10_000_000, 0.01, 0.001, None, None, 0)


def packet(seq: int, t_us: int, n: int = 10) -> bytes:
    header = struct.pack("<HIBB", seq % 2**16, t_us % 2**32, 1, n)
    return header + np.full((n, 6), 100, "<i2").tobytes()


class Roller:
    """A stream with its items, and packets numbered and timed from here."""

    def __init__(self) -> None:
        self.items = []
        sensor = Sensor("ble", "rt-1", "Roller-1", 0.0)
        self.stream = RollerStream(sensor, lambda _sensor, item: self.items.append(item))

    def up(self, wall_s: float) -> None:
        self.stream.link_up(RollerV1Decoder(INFO, self.stream.last_reading_s), 2.0, wall_s)

    def send(self, seq: int, t_us: int, wall_s: float) -> None:
        self.stream.packet(packet(seq, t_us), wall_s)

    def of(self, kind):
        return [item for item in self.items if isinstance(item, kind)]


@pytest.fixture
def roller():
    return Roller()


def test_readings_carry_stream_time_anchored_to_their_arrival(roller):
    roller.up(1.0)
    roller.send(0, 5_000_000, 1.5)
    roller.send(1, 5_100_000, 1.73)  # late by 130 ms: the roller's clock is believed
    first, second = roller.of(ImuSamples)
    assert first.t_s[-1] == pytest.approx(1.5)
    assert second.t_s[-1] == pytest.approx(1.6)
    assert roller.items[0] == LinkChanged(1.0, up=True)


def test_a_lost_link_is_told_and_ends_in_a_gap(roller):
    roller.up(0.0)
    roller.send(0, 0, 1.0)
    roller.stream.link_down("link_lost", 1.5)
    roller.up(4.0)
    roller.send(0, 77, 4.2)  # the roller has restarted: neither number nor clock go on
    (gap,) = roller.of(SignalGap)
    assert (gap.start_s, gap.reason, gap.lost) == (pytest.approx(1.0), "link_lost", 0)
    assert gap.end_s == pytest.approx(roller.of(ImuSamples)[-1].t_s[0])
    assert gap.end_s == pytest.approx(4.11)
    assert [item.up for item in roller.of(LinkChanged)] == [True, False, True]


def test_time_passes_while_the_link_is_down_and_never_overtakes_the_readings(roller):
    roller.up(0.0)
    roller.send(0, 0, 1.0)
    roller.stream.link_down("no_data", 1.2)
    for wall_s in (1.5, 2.5, 3.5):
        roller.stream.tick(wall_s)
    roller.up(3.6)
    roller.stream.tick(3.7)
    roller.send(1, 100_000, 3.7)
    told = [item.t_s for item in roller.of(TimePassed)]
    assert told == pytest.approx([1.5, 2.5])
    assert roller.of(ImuSamples)[-1].t_s[0] > told[-1]


def test_a_roller_that_never_spoke_has_no_time(roller):
    roller.up(0.0)
    roller.stream.link_down("no_data", 2.0)
    roller.stream.tick(9.0)
    assert roller.of(TimePassed) == []


def test_a_clock_that_runs_eight_times_as_fast_is_never_overtaken(roller):
    roller.up(0.0)
    for seq in range(100):
        roller.send(seq, 100_000 * seq, 0.1 * seq / 8)
    last_s = roller.stream.last_reading_s
    assert last_s > 9.0
    roller.stream.link_down("link_lost", 1.3)
    roller.stream.tick(4.3)
    roller.up(5.0)
    roller.send(0, 0, 5.0)
    t_s = np.concatenate([item.t_s for item in roller.of(ImuSamples)])
    assert np.all(np.diff(t_s) > 0)
    assert roller.of(TimePassed)[0].t_s == pytest.approx(last_s + (4.3 - 0.1 * 99 / 8) - 1.0)


def bursts(dice, seconds):
    """When packets of a tenth of a second arrive: at connection events, some events served late."""
    sent_s = np.arange(0.1, seconds, 0.1)
    late_s = np.where(dice.random(len(sent_s)) < 0.2, dice.uniform(0, 0.4, len(sent_s)), 0.0)
    late_s[0] = 0.0
    event_s = np.ceil(sent_s / 0.015 - 1e-9) * 0.015
    return sent_s, np.maximum.accumulate(event_s + late_s)


@pytest.mark.parametrize("drift_ppm", [100.0, -100.0, 30.0])
def test_over_half_an_hour_a_fast_or_slow_crystal_stays_with_the_wall_clock(roller, drift_ppm):
    sent_s, arrival_s = bursts(np.random.default_rng(5), 1800.0)
    roller.up(0.0)
    for seq, (true_s, wall_s) in enumerate(zip(sent_s, arrival_s, strict=True)):
        first_us = (true_s - 0.09) * (1e6 + drift_ppm)
        roller.send(seq, round(first_us) + 4_000_000_000, wall_s)
    t_s = np.concatenate([item.t_s for item in roller.of(ImuSamples)])
    assert roller.of(SignalGap) == []
    assert np.all(np.abs(np.diff(t_s) / 0.01 - 1) < 1e-2)
    off_s = t_s[9::10] - sent_s
    assert abs(off_s[-1]) < 0.02
    assert np.ptp(off_s) < 0.02


@pytest.mark.parametrize("speed", [0.5, 4.0, 50.0])
def test_a_recording_that_is_played_at_another_speed_keeps_its_own_time(roller, speed):
    sent_s, arrival_s = bursts(np.random.default_rng(6), 600.0)
    packets, begun_s = len(sent_s) // 2, [0.0, arrival_s[-1] / speed + 3.0]
    for starts_s in begun_s:
        roller.up(starts_s)
        for seq in range(packets):
            wall_s = starts_s + arrival_s[seq] / speed
            roller.send(seq, round((sent_s[seq] - 0.09) * 1e6), wall_s)
        roller.stream.link_down("link_lost", wall_s + 1.0)
    t_s = np.concatenate([item.t_s for item in roller.of(ImuSamples)])
    steps_s = np.diff(t_s)
    (hole_s,) = steps_s[steps_s > 0.02]
    assert len(roller.of(SignalGap)) == 1
    assert len(t_s) == 20 * packets
    assert steps_s[steps_s <= 0.02] == pytest.approx(0.01)
    silent_s = begun_s[1] + arrival_s[0] / speed - arrival_s[packets - 1] / speed
    assert hole_s == pytest.approx(silent_s - 0.09)


def test_connections_that_begin_late_do_not_add_up(roller):
    for number in range(20):
        starts_s = 60.0 * number
        roller.up(starts_s)
        for seq in range(100):  # the first packets are late, the last ones are not
            sent_s = starts_s + 1.0 + 0.1 * seq
            roller.send(seq, 100_000 * seq, max(sent_s, starts_s + 1.4))
        roller.stream.link_down("link_lost", starts_s + 11.0)
        roller.stream.tick(starts_s + 13.0)
    t_s = np.concatenate([item.t_s for item in roller.of(ImuSamples)])
    assert np.all(np.diff(t_s) > 0)
    assert t_s[-1] == pytest.approx(sent_s + 0.4)
    told = [item.t_s for item in roller.of(TimePassed)]
    assert told == pytest.approx([60.0 * number + 12.4 for number in range(20)])


def test_unusable_packets_are_skipped_counted_and_told_once_per_kind(roller, caplog):
    caplog.set_level(logging.WARNING)
    roller.up(0.0)
    roller.send(0, 0, 1.0)
    for _ in range(3):
        roller.stream.packet(packet(1, 100_000)[:-1], 1.1)
        roller.stream.packet(packet(1, 100_000)[:-3], 1.1)
        roller.stream.packet(packet(1, 100_000, n=0), 1.1)
        roller.stream.packet(b"", 1.1)
    roller.send(1, 100_000, 1.1)
    assert len(roller.of(ImuSamples)) == 2
    assert roller.of(SignalGap) == []
    assert len(caplog.messages) == 3
    roller.stream.link_down("link_lost", 2.0)
    assert caplog.messages[-1] == "Roller-1: skipped 12 unusable packets"


def test_garbage_does_not_count_as_a_sign_of_life(roller):
    roller.up(1.0)
    assert roller.stream.silent_at_s == pytest.approx(3.0)
    roller.stream.packet(b"garbage", 2.0)
    assert roller.stream.silent_at_s == pytest.approx(3.0)
    roller.send(0, 0, 2.5)
    assert roller.stream.silent_at_s == pytest.approx(4.5)


def test_packets_that_arrive_after_the_link_went_down_are_ignored(roller):
    roller.up(0.0)
    roller.stream.link_down("link_lost", 1.0)
    roller.send(0, 0, 1.1)
    assert roller.of(ImuSamples) == []


def test_a_link_that_is_down_goes_down_only_once(roller):
    roller.up(0.0)
    roller.stream.link_down("link_lost", 1.0)
    roller.stream.link_down("no_data", 2.0)
    assert len(roller.of(LinkChanged)) == 2


def test_the_battery_is_passed_on_unless_it_is_nonsense(roller):
    roller.up(0.0)
    roller.stream.battery(87, 1.0)
    roller.stream.battery(255, 2.0)
    assert roller.of(BatteryLevel) == [BatteryLevel(1.0, 87)]
