"""The core's promises for every shape and sensor: cuts, saves, gaps, rest, and errors told."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from support.rolling import CASES, of_case, only, plain, run, said, setup, strokes_of, to_and_fro

from rolltrack.core.events import FinalSpeed, LiveSpeed
from rolltrack.core.sample import ImuSamples
from rolltrack.core.tracker import Tracker

pytestmark = pytest.mark.filterwarnings("error")
FEW = settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate])
EVERY_CASE = pytest.mark.parametrize(("shape", "sensors"), CASES)
ALL_OF_IT = {"start_at_once": True, "keep_series": True}
PARTS = st.floats(0, 1)
"""Places in a recording, as shares of it."""


@functools.cache
def at_once(shape, sensors):
    return plain(run(of_case(shape), shape=shape, sensors=sensors, **ALL_OF_IT))


@EVERY_CASE
@FEW
@given(parts=st.lists(PARTS, max_size=40))
def test_cut_anywhere_it_says_the_same(shape, sensors, parts):
    samples = of_case(shape)
    cuts = [int(part * len(samples)) for part in parts]
    events = run(samples, cuts, shape=shape, sensors=sensors, **ALL_OF_IT)
    assert plain(events) == at_once(shape, sensors)


@EVERY_CASE
@FEW
@given(part=PARTS)
def test_saved_and_restored_anywhere_it_says_the_same(shape, sensors, part):
    samples, same = of_case(shape), setup(shape=shape, sensors=sensors, **ALL_OF_IT)
    cut = int(part * len(samples))
    tracker = Tracker(same)
    events = tracker.feed(samples[:cut])
    restored = Tracker.restore(same, tracker.state)
    tracker.feed(samples[cut:])
    events += restored.feed(samples[cut:]) + restored.finish()
    assert plain(events) == at_once(shape, sensors)


@EVERY_CASE
@FEW
@given(first=PARTS, missing=st.integers(20, 200), as_nan=st.booleans())
def test_no_stroke_bridges_a_gap(shape, sensors, first, missing, as_nan):
    samples = of_case(shape)
    first = 1 + int(first * (len(samples) - missing - 2))
    lost = slice(first, first + missing)
    if as_nan:
        holed = ImuSamples(samples.t_s, samples.accel_mps2.copy(), samples.gyro_radps.copy())
        holed.accel_mps2[lost] = holed.gyro_radps[lost] = np.nan
    else:
        kept = np.delete(np.arange(len(samples)), lost)
        holed = samples[kept]
    events = run(holed, shape=shape, sensors=sensors, **ALL_OF_IT)
    start_s, end_s = samples.t_s[first - 1], samples.t_s[first + missing]
    for strokes in strokes_of(events):
        assert all(stroke.end_s <= start_s or stroke.start_s >= end_s for stroke in strokes)
    for kind in (LiveSpeed, FinalSpeed):
        t_s = said(events, kind).t_s
        assert not np.any((t_s > start_s) & (t_s < end_s))


@EVERY_CASE
@FEW
@given(seed=st.integers(0, 2**31), lead_s=st.floats(2, 10))
def test_what_lies_still_makes_no_stroke(shape, sensors, seed, lead_s):
    samples = to_and_fro([], lead_s=lead_s, seed=seed).samples
    events = run(samples, shape=shape, sensors=sensors, **ALL_OF_IT)
    assert strokes_of(events) == ([], [])
    assert not any(event.too_fast for event in only(events, LiveSpeed))


def spoilt(samples, how, part, seed):
    """The same with something gone wrong in a part of it."""
    dice, cut = np.random.default_rng(seed), int(part * len(samples))
    accel, gyro = samples.accel_mps2.copy(), samples.gyro_radps.copy()
    clipped = None
    if how == "shaken":
        accel[cut:] += dice.normal(0, 8, accel[cut:].shape)
        gyro[cut:] += dice.normal(0, 4, gyro[cut:].shape)
    elif how == "falling":
        accel[cut:] = gyro[cut:] = 0.0
    elif how == "stuck":
        accel[cut:], gyro[cut:] = accel[cut - 1], gyro[cut - 1]
    elif how == "clipped":
        clipped = dice.random(len(samples)) < 0.1
    return ImuSamples(samples.t_s, accel, gyro, clipped)


@EVERY_CASE
@pytest.mark.parametrize("how", ["sound", "shaken", "falling", "stuck", "clipped"])
@settings(FEW, max_examples=1)
@given(part=PARTS, seed=st.integers(0, 2**31))
@example(part=0.625541209149226, seed=338153)
@example(part=0.6810211786094936, seed=0)
def test_a_known_speed_has_a_positive_error_and_an_unknown_one_none(
    shape, sensors, how, part, seed
):
    samples = spoilt(of_case(shape), how, part, seed)
    events = run(samples, shape=shape, sensors=sensors, **ALL_OF_IT)
    for kind in (LiveSpeed, FinalSpeed):
        motion = said(events, kind)
        sd, known = motion.speed_sd_mps, motion.valid
        assert np.all(np.isfinite(motion.speed_mps[known]))
        assert np.all(np.isfinite(sd[known]) & (sd[known] > 0))
        assert np.all(np.isnan(sd[~known]) & np.isnan(motion.speed_mps[~known]))
    for stroke in (each for strokes in strokes_of(events) for each in strokes):
        assert (stroke.length_m is None) == (stroke.mean_speed_sd_mps is None)
        assert stroke.mean_speed_sd_mps is None or 0 < stroke.mean_speed_sd_mps < np.inf
