"""The truth of a stroke, and what a sensor in a rolling cylinder makes of it."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.imu import (
    GRAVITY_MPS2,
    Axle,
    Flaws,
    Mounting,
    angular_rate,
    read_accelerometer,
    read_gyroscope,
    specific_force,
)
from firmware_sim.kinematics import Rest, Stroke, Truth, roll

lengths = st.floats(0.05, 0.5).flatmap(lambda m: st.sampled_from([m, -m]))
strokes = st.builds(Stroke, lengths, st.floats(0.01, 0.3))
mountings = st.builds(
    Mounting,
    axle=st.sampled_from(get_args(Axle)),
    phase_rad=st.floats(-3, 3),
    tilt_rad=st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)),
)


def steady(rate_radps, *, radius_m=0.075, seconds=2.0, rate_hz=100):
    t_s = np.arange(seconds * rate_hz) / rate_hz
    return Truth(t_s, rate_radps * t_s, np.full_like(t_s, rate_radps), np.zeros_like(t_s), radius_m)


@given(stroke=strokes, radius_m=st.floats(0.03, 0.4))
def test_a_stroke_covers_its_length_in_its_time(stroke, radius_m):
    rest = Rest(0.5)
    truth = roll([rest, stroke, rest], radius_m=radius_m, rate_hz=200)
    moving = np.abs(truth.surface_speed_mps) > 0
    travelled_m = (truth.angle_rad[-1] - truth.angle_rad[0]) * radius_m
    assert travelled_m == pytest.approx(stroke.length_m)
    assert np.count_nonzero(moving) / 200 == pytest.approx(stroke.duration_s, abs=0.011)
    peak = np.abs(truth.surface_speed_mps).max()
    assert peak <= 15 / 8 * stroke.mean_speed_mps * (1 + 1e-9)
    assert np.all(np.sign(truth.surface_speed_mps[moving]) == np.sign(stroke.length_m))


@given(stroke=strokes)
def test_angle_rate_and_acceleration_belong_together(stroke):
    truth = roll([stroke, Rest(0.2)], radius_m=0.075, rate_hz=2000)
    scale = np.abs(truth.rate_radps).max()
    np.testing.assert_allclose(
        np.gradient(truth.angle_rad, truth.t_s), truth.rate_radps, atol=2e-2 * scale
    )
    scale = np.abs(truth.accel_radps2).max()
    np.testing.assert_allclose(
        np.gradient(truth.rate_radps, truth.t_s), truth.accel_radps2, atol=2e-2 * scale
    )


@given(mounting=mountings)
def test_at_rest_the_sensor_reads_one_g_upwards(mounting):
    truth = steady(0.0)
    force = specific_force(truth, mounting)
    np.testing.assert_allclose(np.linalg.norm(force, axis=1), GRAVITY_MPS2)
    assert not angular_rate(truth, mounting).any()


def test_a_sensor_with_its_first_axis_up_reads_plus_g_there():
    assert specific_force(steady(0.0), Mounting(axle="+z"))[0] == pytest.approx(
        [GRAVITY_MPS2, 0, 0]
    )
    assert specific_force(steady(0.0), Mounting(axle="+x"))[0] == pytest.approx(
        [0, GRAVITY_MPS2, 0]
    )


@given(mounting=mountings, rate_radps=st.floats(-8, 8))
def test_gravity_turns_against_the_body_at_the_rate_the_gyroscope_reads(mounting, rate_radps):
    """A vector fixed in the world changes in the body as df/dt = -omega x f."""
    truth = steady(rate_radps, rate_hz=1000, seconds=0.2)
    force, rate = specific_force(truth, mounting), angular_rate(truth, mounting)
    change = np.gradient(force, truth.t_s, axis=0)[1:-1]
    np.testing.assert_allclose(change, -np.cross(rate, force)[1:-1], atol=2e-2)


@given(mounting=mountings, stroke=strokes)
def test_the_gyroscope_times_radius_is_the_surface_speed(mounting, stroke):
    truth = roll([stroke], radius_m=0.075, rate_hz=100)
    rate = angular_rate(truth, mounting)
    np.testing.assert_allclose(
        np.linalg.norm(rate, axis=1) * 0.075, np.abs(truth.surface_speed_mps), atol=1e-12
    )


def test_direction_is_the_sense_of_turn_about_the_named_axle():
    truth = steady(2.0)
    for axle in get_args(Axle):
        rate = angular_rate(truth, Mounting(axle=axle))[0]
        assert rate["xyz".index(axle[1])] == (2.0 if axle[0] == "+" else -2.0)


def test_speeding_up_leans_the_force_as_the_rolling_cylinder_does():
    """At angle 0 the centre accelerates by R alpha towards +x, in the sensor its second axis."""
    t_s = np.arange(3) / 100
    truth = Truth(t_s, np.zeros(3), np.zeros(3), np.full(3, 10.0), 0.075)
    force = specific_force(truth, Mounting(axle="+z"))
    assert force[0] == pytest.approx([GRAVITY_MPS2, 0.75, 0])


def test_off_the_axle_a_turning_sensor_feels_the_centripetal_pull():
    truth = steady(4.0)
    off = specific_force(truth, Mounting(lever_m=(0.03, 0.0)))
    on = specific_force(truth, Mounting())
    np.testing.assert_allclose(off - on, [[-0.03 * 16, 0, 0]] * len(truth.t_s), atol=1e-12)


def test_flaws_have_the_size_they_are_given():
    truth, dice = steady(0.0, seconds=100), np.random.default_rng(5)
    flaws = Flaws(accel_noise_mps2=0.02, gyro_noise_radps=0.003, tremor_mps2=0.05)
    accel = read_accelerometer(truth, Mounting(), flaws, dice)
    gyro = read_gyroscope(truth, Mounting(), flaws, dice)
    assert accel.std(axis=0) == pytest.approx([np.hypot(0.02, 0.05)] * 3, rel=0.05)
    assert gyro.std(axis=0) == pytest.approx([0.003] * 3, rel=0.05)


def test_without_flaws_the_readings_are_the_truth():
    truth, dice = roll([Stroke(0.3, 0.1)], radius_m=0.075, rate_hz=100), np.random.default_rng(5)
    mounting = Mounting(phase_rad=1.0)
    assert np.array_equal(
        read_accelerometer(truth, mounting, Flaws(), dice), specific_force(truth, mounting)
    )
    assert np.array_equal(
        read_gyroscope(truth, mounting, Flaws(), dice), angular_rate(truth, mounting)
    )
