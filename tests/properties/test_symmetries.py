"""What must not matter and what must scale: for every shape and sensor, live and final."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.rolling import CASES, RADIUS_M, of_case, run, said, strokes_of

from rolltrack.core.events import FinalSpeed, LiveSpeed
from rolltrack.core.sample import ImuSamples

pytestmark = pytest.mark.filterwarnings("error")
FEW = settings(max_examples=3, deadline=None, phases=[Phase.generate])
"""Shrinking would take minutes; what fails is small already."""
EVERY_CASE = pytest.mark.parametrize(("shape", "sensors"), CASES)
KINDS = (LiveSpeed, FinalSpeed)


def followed(samples, shape, sensors, radius_m=RADIUS_M):
    return run(
        samples,
        shape=shape,
        sensors=sensors,
        radius_m=radius_m,
        start_at_once=True,
        keep_series=True,
    )


@functools.cache
def as_it_is(shape, sensors):
    return followed(of_case(shape), shape, sensors)


def assert_strokes(before, after, *, sign=1, scale=1.0, shift_s=0.0, s=1e-3, rel=1e-3):
    """Prompt and final ones are the same but for what is given."""
    for was, now in zip(strokes_of(before), strokes_of(after), strict=True):
        assert len(now) == len(was)
        for one, other in zip(was, now, strict=True):
            assert other.start_s == pytest.approx(one.start_s + shift_s, abs=s)
            assert other.end_s == pytest.approx(one.end_s + shift_s, abs=s)
            assert other.direction == sign * one.direction
            length_m = None if one.length_m is None else pytest.approx(scale * one.length_m, rel)
            assert other.length_m == length_m


def assert_speeds(before, after, *, sign=1, scale=1.0, shift_s=0.0, share_of_sd=0.1, kinds=KINDS):
    """Live and final ones too, to a share of their standard deviation."""
    for kind in kinds:
        was, now = said(before, kind), said(after, kind)
        np.testing.assert_allclose(now.t_s, was.t_s + shift_s, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(now.valid, was.valid)
        known = was.valid
        off = np.abs(now.speed_mps - sign * scale * was.speed_mps)[known]
        assert np.all(off <= share_of_sd * scale * was.speed_sd_mps[known] + 1e-9)


def later(samples, shift_s):
    return ImuSamples(samples.t_s + shift_s, samples.accel_mps2, samples.gyro_radps)


@EVERY_CASE
@FEW
@given(ticks=st.integers(-(2**16), 2**23))
def test_when_it_is_rolled_does_not_matter(shape, sensors, ticks):
    shift_s = ticks / 64  # so that times need no rounding
    samples, before = of_case(shape), as_it_is(shape, sensors)
    after = followed(later(samples, shift_s), shape, sensors)
    assert_speeds(before, after, shift_s=shift_s)
    assert_strokes(before, after, shift_s=shift_s)


@pytest.mark.parametrize(("shape", "sensors"), [case for case in CASES if case[0] != "body"])
@FEW
@given(shift_s=st.floats(-1e3, 1e5))
def test_nor_does_the_rounding_of_times(shape, sensors, shift_s):
    """It decides which of two hops says an instant live, so live speeds are not compared."""
    samples, before = of_case(shape), as_it_is(shape, sensors)
    after = followed(later(samples, shift_s), shape, sensors)
    assert_speeds(before, after, shift_s=shift_s, share_of_sd=0.1, kinds=(FinalSpeed,))
    assert_strokes(before, after, shift_s=shift_s, s=0.021, rel=0.01)


@EVERY_CASE
def test_a_mirrored_world_has_mirrored_strokes(shape, sensors):
    """A mirror across the axle: force is a vector, angular rate a pseudovector."""
    samples, before = of_case(shape), as_it_is(shape, sensors)
    mirrored = ImuSamples(
        samples.t_s, samples.accel_mps2 * [-1, 1, 1], samples.gyro_radps * [1, -1, -1]
    )
    after = followed(mirrored, shape, sensors)
    sign = 1 if shape == "ball" else -1  # a ball first rolls towards +1, whichever way that is
    assert_speeds(before, after, sign=sign)
    assert_strokes(before, after, sign=sign)


@pytest.mark.parametrize(("shape", "sensors"), [case for case in CASES if case[0] != "body"])
@FEW
@given(phase_rad=st.floats(-math.pi, math.pi))
def test_at_which_angle_the_sensor_starts_does_not_matter(shape, sensors, phase_rad):
    samples, before = of_case(shape), as_it_is(shape, sensors)
    cos, sin = math.cos(phase_rad), math.sin(phase_rad)
    about_the_axle = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    turned = ImuSamples(
        samples.t_s, samples.accel_mps2 @ about_the_axle, samples.gyro_radps @ about_the_axle
    )
    after = followed(turned, shape, sensors)
    assert_speeds(before, after)
    assert_strokes(before, after)


@FEW
@given(scale=st.floats(0.6, 2.0))
def test_the_radius_scales_every_speed_of_a_gyroscope(scale):
    before = as_it_is("roller", "gyro")
    after = followed(of_case("roller"), "roller", "gyro", RADIUS_M * scale)
    assert_speeds(before, after, scale=scale)
    for was, now in zip(strokes_of(before), strokes_of(after), strict=True):
        assert [s.length_m for s in now] == pytest.approx([scale * s.length_m for s in was], 0.01)


@pytest.mark.parametrize(
    ("shape", "sensors", "rel"),
    [
        ("roller", "accel", 0.02),
        ("ball", "accel", 0.02),
        # The gyroscope contradicts a wrong radius, and its scale must bend to reconcile them.
        ("roller", "both", 0.06),
        ("ball", "both", 0.06),
    ],
)
@FEW
@given(scale=st.floats(0.6, 2.0))
def test_the_radius_scales_what_an_accelerometer_says_of_whole_strokes(shape, sensors, rel, scale):
    """From rest to rest it turns by the same angle; in between R w' is taken off gravity."""
    before = strokes_of(as_it_is(shape, sensors))
    after = strokes_of(followed(of_case(shape), shape, sensors, RADIUS_M * scale))
    for was, now in zip(before, after, strict=True):
        assert [s.length_m for s in now] == pytest.approx([scale * s.length_m for s in was], rel)


@pytest.mark.parametrize(("shape", "sensors"), [("roller", "accel"), ("ball", "accel")])
@FEW
@given(scale=st.floats(0.7, 1.5))
def test_a_larger_roller_in_slower_time_rolls_faster_by_the_root(shape, sensors, scale):
    """Froude's scaling: time by sqrt(s) and radius by s leave every specific force as it was."""
    samples, before = of_case(shape), as_it_is(shape, sensors)
    slower = ImuSamples(samples.t_s * math.sqrt(scale), samples.accel_mps2)
    after = followed(slower, shape, sensors, RADIUS_M * scale)
    for was, now in zip(strokes_of(before), strokes_of(after), strict=True):
        assert [s.length_m for s in now] == pytest.approx([scale * s.length_m for s in was], 0.03)


@pytest.mark.parametrize("sensors", ["accel", "both"])
@FEW
@given(scale=st.floats(0.5, 2.0))
def test_the_radius_is_nothing_to_a_phone_on_the_body(sensors, scale):
    before = as_it_is("body", sensors)
    after = followed(of_case("body"), "body", sensors, RADIUS_M * scale)
    assert_speeds(before, after, share_of_sd=0.0)
    assert_strokes(before, after, s=0.0, rel=0.0)
