"""The contract's stroke rule, case by case, on hand-made motion at 100 Hz."""

from dataclasses import replace

import numpy as np
import pytest

from rolltrack.core.motion.motion import Motion
from rolltrack.core.strokes.segmenter import Segmenter


def motion(*parts: tuple[float, float | None], start_s: float = 0.0) -> Motion:
    """Parts of (seconds, speed); None is unknown."""
    speed = np.concatenate([np.full(round(s * 100), np.nan if v is None else v) for s, v in parts])
    t_s = start_s + np.arange(len(speed)) / 100
    return Motion(t_s, speed, np.full(len(speed), 0.001), ~np.isnan(speed))


def strokes(*parts):
    segmenter = Segmenter()
    return segmenter.feed(motion(*parts)) + segmenter.end_stretch(gap=False)


def test_a_reversal_parts_two_strokes():
    there, back = strokes((2, 0.05), (2, -0.04))
    assert (there.direction, back.direction) == (1, -1)
    assert there.length_m == pytest.approx(0.0995, abs=1e-3)
    assert back.mean_speed_mps == pytest.approx(0.04, rel=0.02)
    assert (there.n, back.n) == (1, 2)


@pytest.mark.parametrize(("pause_s", "count"), [(0.2, 1), (0.3, 2)])
def test_a_pause_in_one_direction_is_bridged_below_a_quarter_second(pause_s, count):
    assert len(strokes((1, 0.05), (pause_s, 0.0), (1, 0.05))) == count


@pytest.mark.parametrize(("speed_mps", "count"), [(0.0059, 0), (0.0061, 1)])
def test_six_millimetres_a_second_is_rolling(speed_mps, count):
    assert len(strokes((6, speed_mps))) == count


@pytest.mark.parametrize(("duration_s", "speed_mps"), [(0.2, 0.5), (1.0, 0.02)])
def test_too_short_in_time_or_length_is_no_stroke(duration_s, speed_mps):
    assert strokes((duration_s, speed_mps)) == []


def test_a_short_unknown_is_bridged_and_said():
    (stroke,) = strokes((1, 0.05), (0.1, None), (1, 0.05))
    assert stroke.partly_unknown
    assert stroke.length_m == pytest.approx(0.1045, abs=1e-3)


@pytest.mark.parametrize("from_s", [0.1, 0.3, 0.55, 0.8, 1.0])
@pytest.mark.parametrize("unknown_s", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("block", [7, 500])
def test_what_is_bridged_adds_to_the_error_of_the_mean(from_s, unknown_s, block):
    t_s = np.arange(0, 1.3, 0.01)
    true = 0.15 * np.sin(np.pi * t_s / 1.3)
    seen = np.where((t_s >= from_s) & (t_s < from_s + unknown_s), np.nan, true)
    pushed = Motion(t_s, seen, np.full(len(t_s), 1e-5), ~np.isnan(seen))
    whole = replace(pushed, speed_mps=true, valid=np.ones(len(t_s), dtype=bool))
    (known,), (stroke,) = closed(whole, 500), closed(pushed, block)
    error_mps = abs(stroke.mean_speed_mps - known.mean_speed_mps)
    assert error_mps < 2 * stroke.mean_speed_sd_mps < 0.08 * stroke.mean_speed_mps


def closed(motion, block):
    segmenter = Segmenter()
    found = [s for i in range(0, len(motion), block) for s in segmenter.feed(motion[i : i + block])]
    return found + segmenter.end_stretch(gap=False)


@pytest.mark.parametrize("cut_s", [1.2, 1.4, 1.6, 1.75])
@pytest.mark.parametrize("side", ["begins", "ends"])
def test_a_stroke_that_was_cut_may_be_slower_than_what_was_seen_of_it(cut_s, side):
    """A push of 2 s at 12 cm/s peak; its gentle end, or its beginning, is in a gap."""
    t_s = np.arange(0, 2.4, 0.01)
    true = 0.12 * np.sin(np.pi * np.clip((t_s - 0.2) / 2, 0, 1)) ** 2
    seen = t_s < 0.2 + cut_s if side == "ends" else t_s > 2.2 - cut_s
    pushed = Motion(t_s, true, np.full(len(t_s), 1e-4), np.ones(len(t_s), dtype=bool))
    segmenter, (whole,) = Segmenter(), closed(pushed, 500)
    part = Motion(t_s[seen], true[seen], pushed.speed_sd_mps[seen], pushed.valid[seen])
    (stroke,) = segmenter.feed(part) + segmenter.end_stretch(gap=True)
    assert stroke.partly_unknown
    faster_mps = stroke.mean_speed_mps - whole.mean_speed_mps
    assert faster_mps < 2 * stroke.mean_speed_sd_mps < 0.5 * stroke.mean_speed_mps


def test_where_a_stroke_begins_and_ends_is_not_known_to_the_instant():
    """Two ends, each wrong by an error over a slope: of a push of 0.5 s that makes 4 %."""
    t_s = np.arange(0, 0.7, 0.01)
    true = 0.1 * np.maximum(np.sin(np.pi * (t_s - 0.1) / 0.5), 0) * (t_s < 0.6)
    noisy = Motion(t_s, true, np.full(len(t_s), 0.005), np.ones(len(t_s), dtype=bool))
    (sharp,), (stroke,) = (
        closed(replace(noisy, speed_sd_mps=noisy.speed_sd_mps * k), 500) for k in (1e-3, 1)
    )
    slope_mps2, memory = 0.1 * np.pi / 0.5, 1.0
    ends_mps = np.sqrt(2) * 0.005 / slope_mps2 * stroke.mean_speed_mps / stroke.duration_s
    expected_mps = np.hypot(0.005 * memory, ends_mps)
    assert stroke.mean_speed_sd_mps == pytest.approx(expected_mps, rel=0.05)
    assert sharp.mean_speed_sd_mps < 1e-4


def test_a_long_unknown_ends_the_stroke_and_both_sides_say_so():
    before, after = strokes((1, 0.05), (0.5, None), (1, 0.05))
    # A truth of numpy's own could neither be stored nor published.
    assert before.partly_unknown is True
    assert after.partly_unknown is True


@pytest.mark.parametrize("first_s", [0.0, 0.5])
@pytest.mark.parametrize("last_s", [0.0, 0.5])
def test_a_stroke_that_motion_begins_or_ends_in_is_not_whole(first_s, last_s):
    pauses = [(first_s, 0.0)] if first_s else [], [(last_s, 0.0)] if last_s else []
    found = strokes(*pauses[0], (2, 0.05), (1, 0.0), (2, -0.05), *pauses[1])
    assert [s.partly_unknown for s in found] == [not first_s, not last_s]


def test_a_gap_ends_the_stroke_and_both_sides_say_so():
    segmenter = Segmenter()
    found = segmenter.feed(motion((1, 0.05))) + segmenter.end_stretch(gap=True)
    found += segmenter.feed(motion((1, 0.05), (1, 0.0), (1, 0.05), (0.1, 0.0), start_s=1.5))
    found += segmenter.end_stretch(gap=False)
    assert [s.partly_unknown for s in found] == [True, True, False]
    assert found[1].start_s == 1.5


def test_blocks_make_no_difference():
    whole = motion((1, 0.05), (0.2, 0.0), (1, 0.05), (0.5, -0.1), (0.1, None), (1, -0.1))
    segmenter, cut = Segmenter(), Segmenter()
    one = segmenter.feed(whole) + segmenter.end_stretch(gap=False)
    many = [s for i in range(0, len(whole), 7) for s in cut.feed(whole[i : i + 7])]
    many += cut.end_stretch(gap=False)
    assert [(s.start_s, s.end_s, s.partly_unknown) for s in one] == [
        (s.start_s, s.end_s, s.partly_unknown) for s in many
    ]
    assert [s.length_m for s in one] == pytest.approx([s.length_m for s in many], abs=2e-3)


@pytest.mark.parametrize("first_s", [0.0, 0.003, 0.011, 0.019, 0.027, 0.038])
@pytest.mark.parametrize("cut", [1, 500])
def test_where_the_readings_fall_does_not_change_a_stroke(first_s, cut):
    """A swing of 2 s at 25 Hz: from reading to reading it would be up to 4 % too short."""
    t_s = first_s + np.arange(0, 4, 0.04)
    speed = 0.1 * np.sin(np.pi * t_s / 2)
    whole = Motion(t_s, speed, np.full(len(t_s), 0.001), np.ones(len(t_s), dtype=bool))
    segmenter = Segmenter()
    found = [s for i in range(0, len(t_s), cut) for s in segmenter.feed(whole[i : i + cut])]
    there, back = found + segmenter.end_stretch(gap=False)
    above_s = 2 / np.pi * np.arcsin(0.06)
    assert there.end_s == pytest.approx(2 - above_s, abs=1e-4)
    assert back.start_s == pytest.approx(2 + above_s, abs=1e-4)
    if first_s <= above_s < first_s + 0.04:
        assert there.start_s == pytest.approx(above_s, abs=1e-4)
        length_m = 0.4 / np.pi * np.cos(np.pi * above_s / 2)
        assert there.mean_speed_mps == pytest.approx(length_m / (2 - 2 * above_s), rel=1e-3)


@pytest.mark.parametrize("rate_hz", [25, 100])
@pytest.mark.parametrize("cut", [1, 2, 500])
def test_a_gentle_push_begins_and_ends_where_it_does_and_not_where_a_chord_passes(rate_hz, cut):
    """Minimum jerk, 1 s: at 25 Hz a straight line between readings is up to 8 ms off."""
    for first_s in np.linspace(0, 1 / rate_hz, 7):
        t_s = first_s + np.arange(0, 2, 1 / rate_hz)
        s = np.clip(t_s - 0.4, 0, 1)
        speed = 0.3 * 30 * s**2 * (1 - s) ** 2
        pushed = Motion(t_s, speed, np.full(len(t_s), 1e-4), np.ones(len(t_s), dtype=bool))
        (stroke,) = closed(pushed, cut)
        passes_s = (1 - np.sqrt(1 - 4 * np.sqrt(0.006 / 9))) / 2
        most_s = 0.004 if rate_hz == 25 else 0.0003
        assert stroke.start_s == pytest.approx(0.4 + passes_s, abs=most_s)
        assert stroke.end_s == pytest.approx(1.4 - passes_s, abs=most_s)


def test_what_smoothing_has_added_is_undone_at_both_ends():
    t_s = np.arange(0, 4, 0.01)
    true = 0.1 * np.maximum(np.sin(np.pi * (t_s - 1) / 2), 0) * ((t_s > 1) & (t_s < 3))
    there, back = [0.8, 0.9, 1.1, 1.2], [2.8, 2.9, 3.1, 3.2]
    blur = np.interp(t_s, there + back, 2 * [0, 0.003, 0.003, 0])
    sd, valid = np.full(len(t_s), 0.001), np.ones(len(t_s), dtype=bool)
    found = {}
    for name, speed, known in (("true", true, None), ("blurred", true + blur, blur)):
        for cut in (1, 1000):
            segmenter = Segmenter()
            whole = Motion(t_s, speed, sd, valid, blur_mps=known)
            parts = [s for i in range(0, len(t_s), cut) for s in segmenter.feed(whole[i : i + cut])]
            (found[name, cut],) = parts + segmenter.end_stretch(gap=False)
    stroke = found["true", 1]
    for other in found.values():
        assert other.start_s == pytest.approx(stroke.start_s, abs=2e-3)
        assert other.end_s == pytest.approx(stroke.end_s, abs=2e-3)
        assert other.mean_speed_mps == pytest.approx(stroke.mean_speed_mps, rel=1e-2)
    blurred = Motion(t_s, true + blur, sd, valid)
    (longer,) = Segmenter().feed(blurred)
    assert longer.end_s - longer.start_s > stroke.end_s - stroke.start_s + 0.015
