"""The truth of strokes, and what a sensor in a rolling cylinder feels of it."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.kinematics import Carry, Rest, Stroke, SubMovement, Truth, roll
from firmware_sim.motion import GRAVITY_MPS2, angular_rate_of, rolling_cylinder
from firmware_sim.mounting import Axle, Mounting, Scatter, angular_rate, specific_force

FINE_HZ = 1000
TWO_PUSHES = (SubMovement(0.0, 0.7, 0.6), SubMovement(0.4, 0.6, 0.4))

lengths = st.floats(0.05, 0.5).flatmap(lambda m: st.sampled_from([m, -m]))
strokes = st.builds(
    Stroke, lengths, st.floats(0.05, 0.3), st.sampled_from([Stroke(1, 1).pushes, TWO_PUSHES])
)
mountings = st.builds(
    Mounting,
    axle=st.sampled_from(get_args(Axle)),
    phase_rad=st.floats(-3, 3),
    tilt_rad=st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)),
)


def steady(rate_radps, *, radius_m=0.075, seconds=2.0, rate_hz=FINE_HZ):
    t_s = np.arange(seconds * rate_hz) / rate_hz
    truth = Truth(
        t_s, rate_radps * t_s, np.full_like(t_s, rate_radps), np.zeros_like(t_s), radius_m
    )
    return rolling_cylinder(truth, rate_hz)


def rolled(segments, *, radius_m=0.075, rate_hz=FINE_HZ):
    return rolling_cylinder(roll(segments, radius_m=radius_m, rate_hz=rate_hz), rate_hz)


@given(stroke=strokes, radius_m=st.floats(0.03, 0.4))
def test_a_stroke_covers_its_length_in_its_time(stroke, radius_m):
    rest = Rest(0.5)
    truth = roll([rest, stroke, rest], radius_m=radius_m, rate_hz=200)
    moving = np.abs(truth.surface_speed_mps) > 0
    travelled_m = (truth.angle_rad[-1] - truth.angle_rad[0]) * radius_m
    assert travelled_m == pytest.approx(stroke.length_m)
    assert np.count_nonzero(moving) / 200 == pytest.approx(stroke.duration_s, abs=0.011)
    assert np.all(np.sign(truth.surface_speed_mps[moving]) == np.sign(stroke.length_m))


def test_a_single_push_peaks_at_fifteen_eighths_of_its_mean():
    truth = roll([Stroke(0.3, 0.1)], radius_m=0.075, rate_hz=1000)
    assert truth.surface_speed_mps.max() == pytest.approx(0.1 * 15 / 8, rel=1e-4)


@given(stroke=strokes)
def test_angle_rate_and_acceleration_belong_together(stroke):
    truth = roll([stroke, Rest(0.2)], radius_m=0.075, rate_hz=2000)
    scale = np.abs(truth.rate_radps).max()
    np.testing.assert_allclose(
        np.gradient(truth.angle_rad, truth.t_s), truth.rate_radps, atol=2e-2 * scale
    )
    scale = np.abs(truth.accel_radps2).max()
    np.testing.assert_allclose(
        np.gradient(truth.rate_radps, truth.t_s), truth.accel_radps2, atol=3e-2 * scale
    )


def test_a_carry_leaves_the_roller_turned():
    truth = roll([Rest(1), Carry(4, 2.5, 0.1, 0.3), Rest(1)], radius_m=0.075, rate_hz=100)
    assert truth.angle_rad[-1] == pytest.approx(2.5)


@given(mounting=mountings)
def test_at_rest_the_sensor_reads_one_g_upwards(mounting):
    motion = steady(0.0, seconds=0.1)
    force = specific_force(motion, mounting)
    np.testing.assert_allclose(np.linalg.norm(force, axis=1), GRAVITY_MPS2)
    assert not angular_rate(motion, mounting).any()


def test_a_sensor_with_its_first_axis_up_reads_plus_g_there():
    still = steady(0.0)
    assert specific_force(still, Mounting(axle="+z"))[0] == pytest.approx([GRAVITY_MPS2, 0, 0])
    assert specific_force(still, Mounting(axle="+x"))[0] == pytest.approx([0, GRAVITY_MPS2, 0])


@given(mounting=mountings, rate_radps=st.floats(-8, 8))
def test_gravity_turns_against_the_body_at_the_rate_the_gyroscope_reads(mounting, rate_radps):
    """A vector fixed in the world changes in the body as df/dt = -omega x f."""
    motion = steady(rate_radps, seconds=0.2)
    force, rate = specific_force(motion, mounting), angular_rate(motion, mounting)
    change = np.gradient(force, 1 / FINE_HZ, axis=0)[1:-1]
    np.testing.assert_allclose(change, -np.cross(rate, force)[1:-1], atol=2e-2)


@given(rate_radps=st.floats(-8, 8))
def test_at_constant_speed_the_phase_turns_as_fast_as_the_roller(rate_radps):
    force = specific_force(steady(rate_radps), Mounting(axle="+z"))
    phase = np.unwrap(np.arctan2(force[:, 1], force[:, 0]))
    np.testing.assert_allclose(np.gradient(phase, 1 / FINE_HZ), -rate_radps, atol=1e-6)


@given(mounting=mountings, stroke=strokes)
def test_the_gyroscope_times_radius_is_the_surface_speed(mounting, stroke):
    motion = rolled([stroke], rate_hz=100)
    rate = angular_rate(motion, mounting)
    np.testing.assert_allclose(
        np.linalg.norm(rate, axis=1) * 0.075, np.abs(motion.speed_mps), atol=1e-12
    )


def test_direction_is_the_sense_of_turn_about_the_named_axle():
    motion = steady(2.0)
    for axle in get_args(Axle):
        rate = angular_rate(motion, Mounting(axle=axle))[0]
        assert rate["xyz".index(axle[1])] == pytest.approx(2.0 if axle[0] == "+" else -2.0)


def test_speeding_up_leans_the_force_as_the_rolling_cylinder_does():
    """At angle 0 the centre accelerates by R alpha towards +x, in the sensor its second axis."""
    truth = Truth(np.arange(3) / 100, np.zeros(3), np.zeros(3), np.full(3, 10.0), 0.075)
    force = specific_force(rolling_cylinder(truth, 100), Mounting(axle="+z"))
    assert force[0] == pytest.approx([GRAVITY_MPS2, 0.75, 0])


def test_off_the_axle_a_turning_sensor_feels_the_centripetal_pull():
    motion = steady(4.0)
    off = specific_force(motion, Mounting(lever_m=(0.03, 0.0)))
    on = specific_force(motion, Mounting())
    np.testing.assert_allclose(off - on, [[-0.03 * 16, 0, 0]] * len(motion), atol=1e-12)


@pytest.mark.parametrize("phase_rad", [0.0, 1.1, -2.6])
@pytest.mark.parametrize("stroke", [Stroke(0.1, 0.1), Stroke(-0.2, 0.3, TWO_PUSHES)])
def test_off_the_axle_the_force_is_that_of_the_path_the_sensor_takes(stroke, phase_rad):
    """Second differences of the sensor's place in the world, plus gravity, turned into it."""
    lever_m = (0.02, -0.015)
    motion = rolled([Rest(0.1), stroke, Rest(0.1)], rate_hz=4000)
    place = motion.to_world @ np.array(
        [
            np.cos(phase_rad) * lever_m[0] + np.sin(phase_rad) * lever_m[1],
            -np.sin(phase_rad) * lever_m[0] + np.cos(phase_rad) * lever_m[1],
            0.0,
        ]
    )
    accel = np.gradient(np.gradient(place, 1 / 4000, axis=0), 1 / 4000, axis=0)
    in_world = motion.accel_mps2 + accel + GRAVITY_MPS2 * motion.up
    in_body = np.einsum("nji,nj->ni", motion.to_world, in_world)
    mounting = Mounting(axle="+z", phase_rad=phase_rad, lever_m=lever_m)
    cos, sin = np.cos(phase_rad), np.sin(phase_rad)
    to_sensor = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    np.testing.assert_allclose(
        specific_force(motion, mounting)[3:-3], (in_body @ to_sensor.T)[3:-3], atol=0.05
    )


def test_the_rate_of_an_orientation_is_what_turned_it():
    motion = steady(3.0)
    rate = angular_rate_of(motion.to_world, FINE_HZ)
    np.testing.assert_allclose(rate[1:-1], motion.rate_radps[1:-1], atol=1e-5)


def test_scatter_keeps_its_size_and_turns_everywhere():
    mounting = Mounting(scatter=Scatter(any_phase=True, lever_m=0.03, tilt_rad=0.1))
    settled = [mounting.settle(np.random.default_rng(seed)) for seed in range(200)]
    levers = np.array([m.lever_m for m in settled])
    np.testing.assert_allclose(np.linalg.norm(levers, axis=1), 0.03)
    np.testing.assert_allclose(np.linalg.norm([m.tilt_rad for m in settled], axis=1), 0.1)
    assert np.linalg.norm(levers.mean(axis=0)) < 0.01
    assert np.std([m.phase_rad for m in settled]) == pytest.approx(np.pi / np.sqrt(3), rel=0.15)
