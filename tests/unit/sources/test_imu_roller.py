"""A publisher of raw readings whose clock is set, starts anew, or is wrong once."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from rolltrack.core.events import LinkChanged
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sources.imu_batch import samples_of
from rolltrack.sources.imu_roller import ImuRoller
from rolltrack.sources.source import TimePassed
from rolltrack.wire import ImuBatch

EPOCH_MS = 1_763_900_000_000
HOUR_MS = 3_600_000
YEARS_MS = 30 * 365 * 24 * HOUR_MS
PERIOD_MS = 100
READINGS = 10


def batch(seq, ts_ms, feel=0.0):
    return ImuBatch(
        ts=ts_ms,
        seq=seq,
        t_ms=tuple(10.0 * k for k in range(READINGS)),
        ax_mps2=(feel,) * READINGS,
        ay_mps2=(0.0,) * READINGS,
        az_mps2=(9.81,) * READINGS,
    )


class Listening:
    """A roller that has heard `n` batches in real time, and what it made of them and of more."""

    def __init__(self, n=50):
        self.roller = ImuRoller("pocket-1", EPOCH_MS / 1000)
        self.items = []
        self.refused = []
        self.now_s = 1000.0
        for seq in range(n):
            self.hear(batch(seq, EPOCH_MS + seq * PERIOD_MS))

    def hear(self, each, after_s=PERIOD_MS / 1000):
        self.now_s += after_s
        try:
            items = self.roller.take(each, self.now_s)
        except DecodeError as fault:
            self.refused.append(fault)
            return []
        self.items += items
        return items

    def of(self, kind):
        return [item for item in self.items if isinstance(item, kind)]

    @property
    def t_s(self):
        return np.concatenate([block.t_s for block in self.of(ImuSamples)])

    @property
    def epoch_ms(self):
        return self.roller.sensor.epoch_unix_s * 1000


def assert_times_of_arrival(listening, within_s=0.002):
    """Stream time passed like the wall clock, and every gap lies between its two readings."""
    assert (np.diff(listening.t_s) > 0).all()
    heard_s = listening.now_s - 1000.0 - PERIOD_MS / 1000
    assert listening.t_s[-1] == pytest.approx(heard_s + 0.09, abs=within_s)
    for before, after in pairwise(listening.items):
        if isinstance(before, SignalGap):
            assert after.t_s[0] == before.end_s > before.start_s


@pytest.mark.parametrize("off_ms", [YEARS_MS, HOUR_MS, 100_000, -HOUR_MS, -YEARS_MS])
def test_one_batch_with_a_wrong_time_costs_its_own_readings(off_ms):
    listening = Listening()
    for seq in range(50, 100):
        wrong_ms = off_ms if seq == 60 else 0
        listening.hear(batch(seq, EPOCH_MS + seq * PERIOD_MS + wrong_ms))
    assert len(listening.t_s) == 99 * READINGS
    assert [gap.reason for gap in listening.of(SignalGap)] == ["packets_lost"]
    assert len(listening.refused) == 1
    assert_times_of_arrival(listening)


@pytest.mark.parametrize(
    ("starts_ms", "seq"),
    [(EPOCH_MS - HOUR_MS, 0), (EPOCH_MS - HOUR_MS, 1), (3_000, 0), (0, 7)],
    ids=["an hour early", "numbers from 1", "no date", "first batches lost"],
)
def test_a_publisher_that_starts_anew_with_an_earlier_clock_goes_on(starts_ms, seq):
    listening = Listening()
    listening.now_s += 20.0
    for k in range(30):
        listening.hear(batch(seq + k, starts_ms + k * PERIOD_MS))
    assert len(listening.t_s) == 80 * READINGS
    assert [gap.reason for gap in listening.of(SignalGap)] == ["clock_reset"]
    assert_times_of_arrival(listening)


def test_a_clock_that_counts_from_every_start_repeats_itself_and_is_heard():
    roller, items = ImuRoller("pocket-1", 3.0), []
    for start in range(3):
        for k in range(40):
            with suppress(DecodeError):
                each = batch(k, 3_000 + k * PERIOD_MS, feel=start + 0.01 * k)
                items += roller.take(each, 10.0 * start + k * PERIOD_MS / 1000)
    felt = [float(item.accel_mps2[0, 0]) for item in items if isinstance(item, ImuSamples)]
    assert felt == [start + 0.01 * k for start in range(3) for k in range(40)]
    resets = [item for item in items if isinstance(item, SignalGap)]
    assert [gap.reason for gap in resets] == ["clock_reset"] * 2
    assert [gap.end_s for gap in resets] == pytest.approx([10.0, 20.0])


@pytest.mark.parametrize("off_ms", [YEARS_MS, HOUR_MS, -HOUR_MS, -400])
def test_a_clock_that_is_set_moves_the_epoch_and_not_the_stream(off_ms):
    listening = Listening()
    for seq in range(50, 80):
        listening.hear(batch(seq, EPOCH_MS + seq * PERIOD_MS + off_ms))
    assert len(listening.t_s) == 80 * READINGS
    assert [gap.reason for gap in listening.of(SignalGap)] == ["clock_reset"]
    assert_times_of_arrival(listening)
    assert listening.epoch_ms == pytest.approx(EPOCH_MS + off_ms, abs=2)


def test_a_first_batch_with_a_wrong_time_does_not_date_all_that_follow():
    roller = ImuRoller("pocket-1", (EPOCH_MS + YEARS_MS) / 1000)
    listening = Listening(0)
    listening.roller = roller
    listening.hear(batch(0, EPOCH_MS + YEARS_MS))
    for seq in range(1, 10):
        listening.hear(batch(seq, EPOCH_MS + seq * PERIOD_MS))
    assert_times_of_arrival(listening)
    assert len(listening.t_s) == 10 * READINGS
    assert listening.epoch_ms == pytest.approx(EPOCH_MS, abs=2)


def test_a_clock_that_has_lost_its_date_does_not_take_ours():
    listening = Listening()
    for k in range(10):
        listening.hear(batch(k, k * PERIOD_MS))
    assert listening.epoch_ms == EPOCH_MS
    for k in range(10, 20):  # now it has asked somebody for the date
        listening.hear(batch(k, EPOCH_MS + 5_000 + k * PERIOD_MS))
    assert listening.epoch_ms == pytest.approx(EPOCH_MS, abs=2)
    assert_times_of_arrival(listening)


def test_copies_are_nothing_new_even_many_and_after_the_clock_was_set():
    listening = Listening()
    for seq in range(30, 50):  # the broker sends what was not acknowledged again
        listening.hear(batch(seq, EPOCH_MS + seq * PERIOD_MS))
    for k in range(10):
        for _ in range(2):
            listening.hear(batch(k, k * PERIOD_MS), after_s=PERIOD_MS / 2000)
    for seq in range(30, 50):
        listening.hear(batch(seq, EPOCH_MS + seq * PERIOD_MS), after_s=0.0)
    assert len(listening.t_s) == 60 * READINGS
    assert len(listening.of(SignalGap)) == 1
    assert len(listening.refused) == 2


def test_overtaken_batches_are_not_a_clock_that_was_set():
    listening = Listening()
    for seq in (60, 51, 52, 53, 54, 61):
        listening.hear(batch(seq, EPOCH_MS + seq * PERIOD_MS))
    assert [gap.reason for gap in listening.of(SignalGap)] == ["packets_lost"]
    assert listening.refused == []


def test_batches_that_do_not_agree_with_each_other_never_count():
    listening = Listening()
    for k in range(20):
        off_ms = (-1) ** k * HOUR_MS * (k + 1)
        assert listening.hear(batch(50 + k, EPOCH_MS + off_ms)) == []
    assert len(listening.refused) == 20
    assert listening.of(SignalGap) == []
    assert "before the last one ended" in str(listening.refused[1])
    assert "ahead of those before" in str(listening.refused[2])


@pytest.mark.parametrize("speed", [0.25, 50.0, 1e6])
def test_a_recording_may_be_published_slower_or_faster_than_it_was_made(speed):
    listening = Listening(0)
    for seq in range(3000):
        listening.hear(batch(seq, EPOCH_MS + seq * PERIOD_MS), after_s=PERIOD_MS / 1000 / speed)
    assert listening.of(SignalGap) == []
    assert listening.refused == []
    assert listening.t_s == pytest.approx(0.01 * np.arange(30_000))


def test_pauses_of_a_hurried_recording_and_between_recordings_have_passed():
    listening = Listening(0)
    starts_ms = [EPOCH_MS, EPOCH_MS + HOUR_MS, EPOCH_MS + 100 * HOUR_MS]
    for seq in range(600):
        part_ms = starts_ms[0 if seq < 300 else 1]
        listening.hear(batch(seq, part_ms + seq * PERIOD_MS), after_s=0.001)
    for seq in range(300):
        listening.hear(batch(seq, starts_ms[2] + seq * PERIOD_MS), after_s=0.001)
    assert len(listening.t_s) == 900 * READINGS
    pauses_s = np.diff(listening.t_s)[np.diff(listening.t_s) > 1]
    assert pauses_s == pytest.approx([3600.01, 99 * 3600 - 59.99])
    assert listening.epoch_ms == EPOCH_MS


def test_a_long_silence_and_what_was_kept_during_it_are_no_clock_that_was_set():
    listening = Listening()
    kept = [batch(50 + k, EPOCH_MS + (50 + k) * PERIOD_MS) for k in range(20)]
    listening.now_s += 600.0
    for each in kept:
        listening.hear(each, after_s=0.001)
    for k in range(6000, 6050):
        listening.hear(batch(k, EPOCH_MS + k * PERIOD_MS), after_s=PERIOD_MS / 1000)
    assert [gap.reason for gap in listening.of(SignalGap)] == ["packets_lost"]
    assert listening.refused == []


def test_silence_is_counted_from_the_last_batch_that_was_taken():
    listening = Listening()
    last_s = listening.t_s[-1]
    heard_s = listening.now_s
    listening.hear(batch(50, EPOCH_MS + YEARS_MS), after_s=1.0)
    down, passed = listening.roller.tick(heard_s + 6.0)
    assert down == LinkChanged(pytest.approx(last_s + 6.0), up=False)
    assert passed == TimePassed(pytest.approx(last_s + 6.0))
    up, *_ = listening.hear(batch(50, EPOCH_MS + 11_000), after_s=5.0)
    assert up == LinkChanged(pytest.approx(11.0), up=True)


@pytest.mark.parametrize("t_ms", [(0.0, 4e6), (-4e6, 0.0), (0.0, 1e-9)])
def test_readings_far_from_their_batch_or_on_top_of_each_other_are_refused(t_ms):
    two = dict.fromkeys(("ax_mps2", "ay_mps2", "az_mps2"), (0.0, 0.0))
    wrong = msgspec.structs.replace(batch(0, EPOCH_MS), t_ms=t_ms, **two)
    with pytest.raises(DecodeError, match="t_ms"):
        samples_of(wrong, EPOCH_MS)
