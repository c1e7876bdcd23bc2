"""Each effect has the size it is given and does what its physics says."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_sim.ball import rolling_ball
from firmware_sim.effects.bumps import Bumps
from firmware_sim.effects.carried import pick_up
from firmware_sim.effects.impacts import Impacts
from firmware_sim.effects.losses import Losses
from firmware_sim.effects.rocking import rock
from firmware_sim.effects.slip import Slip
from firmware_sim.effects.surface import Surface
from firmware_sim.effects.tremor import Tremor
from firmware_sim.effects.vibration import Vibration
from firmware_sim.effects.worn import Worn
from firmware_sim.kinematics import Carry, Rest, Stroke, Truth, roll, spans
from firmware_sim.motion import GRAVITY_MPS2, rolling_cylinder
from firmware_sim.mounting import Mounting, angular_rate, specific_force
from firmware_sim.steps import RestStep, WanderStep

RATE_HZ = 800
RADIUS_M = 0.075


@pytest.fixture
def dice():
    return np.random.default_rng(7)


def steady(speed_mps, seconds=20.0):
    t_s = np.arange(seconds * RATE_HZ) / RATE_HZ
    rate = np.full_like(t_s, speed_mps / RADIUS_M)
    return rolling_cylinder(Truth(t_s, rate * t_s, rate, np.zeros_like(t_s), RADIUS_M), RATE_HZ)


def stroke():
    truth = roll([Rest(0.5), Stroke(0.3, 0.2), Rest(0.5)], radius_m=RADIUS_M, rate_hz=RATE_HZ)
    return rolling_cylinder(truth, RATE_HZ)


def share_between(signal, low_hz, high_hz):
    power = np.abs(np.fft.rfft(signal - signal.mean())) ** 2
    frequency_hz = np.fft.rfftfreq(len(signal), 1 / RATE_HZ)
    return power[(frequency_hz >= low_hz) & (frequency_hz <= high_hz)].sum() / power.sum()


@pytest.mark.parametrize(("speed_mps", "share"), [(0.0, 0.3), (0.01, 0.65), (0.02, 1), (0.3, 1)])
def test_vibration_grows_with_speed_up_to_its_full_size(dice, speed_mps, share):
    shaken = Vibration(rms_mps2=0.147).apply(steady(speed_mps), dice)
    assert shaken.accel_mps2.std(axis=0) == pytest.approx([0.147 * share] * 3, rel=1e-6)
    assert share_between(shaken.accel_mps2[:, 2], 2, 15) > 0.999


def test_tremor_does_not_care_about_speed(dice):
    shaken = Tremor(rms_mps2=0.03).apply(steady(0.0), dice)
    assert shaken.accel_mps2.std(axis=0) == pytest.approx([0.03] * 3)
    assert share_between(shaken.accel_mps2[:, 0], 6, 12) > 0.999


def test_a_grid_lifts_the_roller_once_a_pitch(dice):
    """A wave of height h and length L met at v accelerates by h (2 pi v / L)^2."""
    lifted = Bumps(height_m=0.0003, pitch_m=0.02, regular=True).apply(steady(0.1), dice)
    up = lifted.accel_mps2[5:-5, 2]
    assert np.abs(up).max() == pytest.approx(0.0003 * (2 * np.pi * 5) ** 2, rel=0.01)
    assert share_between(up, 4.8, 5.2) > 0.99
    assert not lifted.accel_mps2[:, :2].any()


def test_irregular_bumps_shake_as_much_as_a_wave_of_their_height(dice):
    bumps = Bumps(height_m=0.0001, pitch_m=0.02)
    places = np.linspace(0, 20, 100_000)
    assert bumps._height_m(places, dice).std() == pytest.approx(0.0001 / np.sqrt(2), rel=0.1)


def test_rolling_back_meets_the_same_bumps_again(dice):
    there_and_back = [Stroke(0.2, 0.1), Stroke(-0.2, 0.1)]
    truth = roll(there_and_back, radius_m=RADIUS_M, rate_hz=RATE_HZ)
    lifted = Bumps(height_m=0.0001).apply(rolling_cylinder(truth, RATE_HZ), dice)
    up = lifted.accel_mps2[:, 2]
    np.testing.assert_allclose(up, up[::-1], atol=0.02 * np.abs(up).max())


def test_a_knock_takes_the_weight_for_a_moment_and_leaves_no_speed(dice):
    still = steady(0.0, seconds=60)
    knocked = Impacts(every_s=5.0, peak_g=(1.0, 1.0), lean_rad=0.0).apply(still, dice)
    force = np.linalg.norm(specific_force(knocked, Mounting()), axis=1)
    moments = np.count_nonzero(np.diff((force < 0.3 * GRAVITY_MPS2).astype(int)) == 1)
    assert 4 <= moments <= 25
    velocity = np.cumsum(knocked.accel_mps2[:, 2]) / RATE_HZ
    assert abs(velocity[-1]) < 1e-3


@pytest.mark.parametrize("slide", [0.3, -1.0])
def test_slip_changes_the_translation_and_not_the_turn(dice, slide):
    rolling = stroke()
    slipping = Slip(slide=slide).apply(rolling, dice)
    np.testing.assert_allclose(slipping.accel_mps2, rolling.accel_mps2 * (1 + slide))
    assert slipping.speed_mps is rolling.speed_mps


def test_grip_lost_for_a_while_moves_the_centre_and_not_the_surface(dice):
    """Off an episode the centre rolls; within one it is faster by `slide`; speeds join smoothly."""
    rolling = steady(0.1, seconds=60)
    slipping = Slip(slide=0.3, every_s=10.0, lasts_s=0.5).apply(rolling, dice)
    beyond = np.cumsum(slipping.accel_mps2[:, 0] - rolling.accel_mps2[:, 0]) / RATE_HZ
    assert beyond.max() == pytest.approx(0.03, rel=0.01)
    assert abs(beyond[-1]) < 1e-6
    episodes = np.count_nonzero(np.diff((beyond > 0.015).astype(int)) == 1)
    assert 2 <= episodes <= 12
    assert 0.3 < np.count_nonzero(beyond > 0.015) / RATE_HZ / episodes < 0.6
    assert slipping.speed_mps is rolling.speed_mps


def test_a_ball_that_spins_on_the_spot_goes_nowhere(dice):
    steps = [RestStep(1.0), WanderStep(10.0, 0.09), RestStep(1.0)]
    ball = rolling_ball(steps, radius_m=RADIUS_M, rate_hz=RATE_HZ, dice=dice)
    assert np.abs(ball.accel_mps2).max() > 0.01
    assert not Slip(slide=-1.0).apply(ball, dice).accel_mps2.any()


def test_on_a_wall_speeding_up_changes_the_weight(dice):
    """Along gravity the second difference of the place adds to g itself."""
    wall = Surface(kind="wall").apply(stroke(), dice)
    force = np.linalg.norm(specific_force(wall, Mounting()), axis=1)
    place_m = np.cumsum(wall.speed_mps) / RATE_HZ
    weight = GRAVITY_MPS2 + np.gradient(np.gradient(place_m, 1 / RATE_HZ), 1 / RATE_HZ)
    np.testing.assert_allclose(force[2:-2], weight[2:-2], atol=5e-3)


def test_an_axle_that_slopes_feels_gravity_along_itself(dice):
    sloping = Surface(axle_slope_rad=np.radians(10)).apply(steady(0.0, 0.1), dice)
    force = specific_force(sloping, Mounting(axle="+z"))
    assert np.linalg.norm(force, axis=1) == pytest.approx(GRAVITY_MPS2)
    assert force[0, 2] == pytest.approx(GRAVITY_MPS2 * np.sin(np.radians(10)))


def test_a_body_on_the_roller_moves_twice_as_far_and_does_not_turn(dice):
    rolling = stroke()
    worn = Worn(sway_rad=1e-6).apply(rolling, dice)
    force = specific_force(worn, Mounting(axle="+z"))
    np.testing.assert_allclose(force[:, 1], 2 * rolling.accel_mps2[:, 0], atol=1e-4)
    assert np.abs(angular_rate(worn, Mounting())).max() < 1e-4
    assert not worn.rolling.any()


def test_a_hold_rocks_at_the_speed_asked_for_and_ends_where_it_began(dice):
    plan = [Rest(1.0), Rest(20.0, rocking_mps=0.002), Rest(1.0)]
    truth = rock(roll(plan, radius_m=RADIUS_M, rate_hz=RATE_HZ), plan, RATE_HZ, dice)
    held = spans(plan, truth.t_s)[1][1]
    assert truth.surface_speed_mps[held].std() == pytest.approx(0.002)
    assert truth.angle_rad[-1] == truth.angle_rad[0]
    slope = np.gradient(truth.angle_rad, truth.t_s) * RADIUS_M
    np.testing.assert_allclose(slope, truth.surface_speed_mps, atol=2e-5)


def carried(dice):
    plan = [Stroke(0.2, 0.1), Carry(8.0, 1.0, 0.15, 0.5), Stroke(-0.2, 0.1)]
    truth = roll(plan, radius_m=RADIUS_M, rate_hz=RATE_HZ)
    motion = pick_up(rolling_cylinder(truth, RATE_HZ), plan, truth.t_s, dice)
    return motion, spans(plan, truth.t_s)[1][1]


def test_a_carried_roller_has_no_speed_and_an_axle_that_wanders(dice):
    motion, during = carried(dice)
    assert not motion.rolling[during].any()
    assert motion.rolling[: during.start].all()
    assert motion.rolling[during.stop :].all()
    axle_up = motion.to_world[:, 2, 2]
    assert np.abs(axle_up[during]).max() > 0.3
    assert not axle_up[: during.start].any()
    assert not axle_up[during.stop :].any()


def test_a_carried_roller_stays_a_rigid_body(dice):
    motion, during = carried(dice)
    axes = motion.to_world[during]
    np.testing.assert_allclose(axes @ np.swapaxes(axes, 1, 2), [np.eye(3)] * len(axes), atol=1e-12)
    fine = specific_force(replace(motion, accel_mps2=0 * motion.accel_mps2), Mounting())
    change = np.gradient(fine, 1 / RATE_HZ, axis=0)[during]
    turned = -np.cross(angular_rate(motion, Mounting()), fine)[during]
    np.testing.assert_allclose(change[2:-2], turned[2:-2], atol=0.02)


def test_lost_packets_take_all_their_readings_and_the_share_is_kept(dice):
    arrived = Losses(packets=0.05, packet_samples=2).arrived(100_000, dice)
    assert 1 - arrived.mean() == pytest.approx(0.05, abs=0.005)
    assert np.array_equal(arrived[::2], arrived[1::2])
    assert arrived[0]
    assert arrived[-1]


def test_jitter_has_its_size_and_never_turns_time_back(dice):
    t_s = np.arange(20_000) / 100
    stamped = Losses(jitter_s=0.002).stamp(t_s, dice)
    assert (stamped - t_s).std() == pytest.approx(0.002, rel=0.05)
    assert np.all(np.diff(Losses(jitter_s=0.02).stamp(t_s, dice)) > 0)


def test_a_fast_clock_stamps_later_times(dice):
    t_s = np.array([0.0, 1000.0])
    assert Losses(drift_ppm=100).stamp(t_s, dice) == pytest.approx([0.0, 1000.1])
