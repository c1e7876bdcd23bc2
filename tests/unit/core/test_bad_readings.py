"""Readings that no roller gives: they are left out, and the session goes on."""

from dataclasses import replace

import numpy as np
import pytest
from support.rolling import setup, to_and_fro

from rolltrack.core.events import FinalSpeed, SessionEnded
from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.core.tracker import Tracker

ROLL = to_and_fro([0.25, -0.2] * 4, 0.1)


def run(items, **changes):
    tracker = Tracker(setup(**{"sensors": "auto", **changes}))
    return [event for item in items for event in tracker.feed(item)] + tracker.finish()


def with_sensors(samples, *, gyro):
    return samples if gyro else replace(samples, gyro_radps=None)


def ended(events):
    (found,) = (event for event in events if isinstance(event, SessionEnded))
    return found


@pytest.mark.parametrize("first_has_gyro", [True, False])
def test_a_sensor_that_comes_or_goes_ends_no_session(first_has_gyro):
    half = len(ROLL.samples) // 2
    parts = [
        with_sensors(ROLL.samples[:half], gyro=first_has_gyro),
        with_sensors(ROLL.samples[half:], gyro=not first_has_gyro),
    ]
    whole = ended(run([ROLL.samples]))
    found = ended(run(parts))
    assert abs(len(found.strokes) - len(whole.strokes)) <= 1
    assert found.summary.gaps == 1


def test_a_gyroscope_that_dies_leaves_the_accelerometer():
    gyro = ROLL.samples.gyro_radps.copy()
    half = len(gyro) // 2
    gyro[half:] = np.nan
    dying = replace(ROLL.samples, gyro_radps=gyro)
    found = ended(run([dying[:half], dying[half:]]))
    assert found.strokes[-1].stroke.end_s > ROLL.samples.t_s[half]


@pytest.mark.parametrize("size_mps2", [16 * G_MPS2, 160.0, 1e6, 1e300])
def test_one_wild_reading_in_the_first_push_costs_no_stroke(size_mps2):
    moving = int(np.flatnonzero(np.abs(ROLL.true_speed_mps) > 0.02)[0])
    accel = ROLL.samples.accel_mps2.copy()
    accel[moving] = size_mps2
    wild = ImuSamples(ROLL.samples.t_s, accel)
    calm = ImuSamples(ROLL.samples.t_s, ROLL.samples.accel_mps2)
    assert len(ended(run([wild])).strokes) == len(ended(run([calm])).strokes)


@pytest.mark.parametrize("reason", ["clock_reset", "link_lost", "no_data"])
def test_a_gap_of_unknown_length_is_never_bridged(reason):
    """Its readings were put side by side because nobody knows how much time had passed."""
    middle = int(np.argmax(np.abs(ROLL.true_speed_mps)))
    before, after = ROLL.samples[:middle], ROLL.samples[middle + 20 :]
    shift_s = after.t_s[0] - before.t_s[-1] - 0.01
    after = replace(after, t_s=after.t_s - shift_s)
    gap = SignalGap(float(before.t_s[-1]), float(after.t_s[0]), reason=reason)
    cut_s = float(before.t_s[-1])
    for judged in ended(run([before, gap, after])).strokes:
        stroke = judged.stroke
        assert not stroke.start_s < cut_s - 0.05 < cut_s + 0.05 < stroke.end_s


def test_what_was_clipped_is_not_measured_with():
    """A gyroscope that stops at half of the fastest rate and says so leaves speeds right."""
    rate = ROLL.samples.gyro_radps
    most = 0.5 * np.abs(rate).max()
    clipped = (np.abs(rate) > most).any(axis=1)
    samples = ImuSamples(
        ROLL.samples.t_s, ROLL.samples.accel_mps2, np.clip(rate, -most, most), clipped
    )
    blocks = [e.block for e in run([samples], keep_series=True) if isinstance(e, FinalSpeed)]
    said = np.concatenate([np.where(b.valid, b.speed_mps, np.nan) for b in blocks])
    sd = np.concatenate([b.speed_sd_mps for b in blocks])
    error = np.abs(said) - np.abs(ROLL.true_speed_mps[: len(said)])
    known = np.isfinite(error)
    assert known.mean() > 0.3
    assert np.mean((error[known] / sd[known]) ** 2) < 4
