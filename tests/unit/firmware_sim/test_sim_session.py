"""Whole sessions: what a scenario's recording holds, and its truth."""

import msgspec
import numpy as np
import pytest

from firmware_sim.ball import rolling_ball
from firmware_sim.motion import GRAVITY_MPS2
from firmware_sim.mounting import Mounting, angular_rate, specific_force
from firmware_sim.scenario import bundled_scenarios, load_scenario
from firmware_sim.session import record
from firmware_sim.steps import RestStep, WanderStep
from firmware_sim.strokes import true_strokes, write_strokes
from firmware_sim.trace import read_trace, write_trace

SCENARIOS = bundled_scenarios()
NEEDED = {
    "clean", "smooth", "typical", "rough", "typical-25hz", "typical-50hz", "typical-200hz",
    "typical-12bit", "typical-loss5", "typical-bias100", "typical-lever6", "typical-tilt10",
    "typical-jitter", "typical-r5", "near-limit-typical", "near-limit-rough", "carried", "impacts",
    "slip30", "spinning", "wall", "ball", "ball-fast", "ball-slow", "ball-rough",
    "phone-in-roller", "phone-on-body", "holds", "short-strokes",
}  # fmt: skip


def test_the_scenarios_that_benchmarks_name_are_there():
    assert set(SCENARIOS) >= NEEDED


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_gives_readings_near_one_g_and_its_rate(name):
    scenario = SCENARIOS[name]
    trace = record(scenario, 11).trace
    assert np.all(np.diff(trace.t_s) > 0)
    assert np.median(np.diff(trace.t_s)) == pytest.approx(1 / scenario.rate_hz, rel=0.05)
    assert np.isfinite(trace.accel_mps2).all()
    size = np.linalg.norm(trace.accel_mps2, axis=1)
    assert np.median(size) == pytest.approx(GRAVITY_MPS2, abs=1.5)
    if trace.gyro_radps is not None:
        assert np.isfinite(trace.gyro_radps).all()


@pytest.mark.parametrize("name", ["typical", "near-limit-rough", "typical-r5", "short-strokes"])
def test_strokes_add_up_to_the_distance_rolled(name):
    recording = record(SCENARIOS[name], 4)
    trace = recording.trace
    speed = trace.true_speed_mps
    for stroke in recording.strokes:
        inside = (trace.t_s >= stroke.start_s) & (trace.t_s <= stroke.end_s)
        rolled_m = np.trapezoid(speed[inside], trace.t_s[inside])
        assert rolled_m * stroke.direction == pytest.approx(stroke.length_m, abs=0.003)
        assert stroke.mean_speed_mps <= stroke.peak_speed_mps


def test_typical_is_what_its_description_says():
    lengths, means = [], []
    for seed in range(8):
        strokes = record(SCENARIOS["typical"], seed).strokes
        assert len(strokes) == 14
        lengths += [stroke.length_m for stroke in strokes]
        means += [stroke.mean_speed_mps for stroke in strokes]
    assert min(lengths) > 0.08
    assert max(lengths) < 0.41
    assert 0.01 <= min(means) < 0.014
    assert 0.25 < max(means) < 0.33


def test_near_the_limit_half_of_the_strokes_are_too_fast():
    strokes = record(SCENARIOS["near-limit-typical"], 1).strokes
    means = np.array([stroke.mean_speed_mps for stroke in strokes])
    assert np.all(np.abs(means / 0.075 - 1) < 0.3)
    assert 0.2 < np.mean(means > 0.075) < 0.8


def test_while_carried_there_is_no_speed_and_no_stroke():
    recording = record(SCENARIOS["carried"], 2)
    trace = recording.trace
    carried = np.isnan(trace.true_speed_mps)
    assert np.count_nonzero(carried) / 100 == pytest.approx(10.0, abs=0.03)
    start_s, end_s = trace.t_s[carried][[0, -1]]
    assert all(s.end_s < start_s or s.start_s > end_s for s in recording.strokes)


def test_a_phone_on_the_body_has_the_truth_of_the_tissue():
    recording = record(SCENARIOS["phone-on-body"], 2)
    assert np.isfinite(recording.trace.true_speed_mps).all()
    assert recording.strokes == record(SCENARIOS["typical"], 2).strokes


def test_what_is_lost_is_missing_from_the_trace():
    whole, holed = (record(SCENARIOS[name], 3).trace for name in ("typical", "typical-loss5"))
    assert 1 - len(holed.t_s) / len(whole.t_s) == pytest.approx(0.05, abs=0.015)
    kept = np.isin(whole.t_s, holed.t_s)
    assert np.array_equal(whole.accel_mps2[kept], holed.accel_mps2)


def test_another_sensor_leaves_the_motion_as_it_was():
    """Each thing left to chance has dice of its own."""
    typical = SCENARIOS["typical"]
    other = msgspec.structs.replace(typical, accelerometer=SCENARIOS["back"].accelerometer)
    one, two = record(typical, 5).trace, record(other, 5).trace
    assert np.array_equal(one.true_speed_mps, two.true_speed_mps)
    assert np.array_equal(one.gyro_radps, two.gyro_radps)
    assert not np.array_equal(one.accel_mps2, two.accel_mps2)


def test_a_trace_and_its_strokes_can_be_written(tmp_path):
    recording = record(SCENARIOS["carried"], 1)
    write_trace(tmp_path / "trace.csv", recording.trace)
    read = read_trace(tmp_path / "trace.csv")
    np.testing.assert_allclose(read.true_speed_mps, recording.trace.true_speed_mps, atol=1e-5)
    write_strokes(tmp_path / "strokes.csv", recording.strokes)
    header, *rows = (tmp_path / "strokes.csv").read_text().splitlines()
    assert header == "n,start_s,end_s,direction,length_m,mean_speed_mps"
    assert len(rows) == len(recording.strokes)
    n, start_s, *_, mean_mps = rows[0].split(",")
    assert n == "1"
    assert float(start_s) == pytest.approx(recording.strokes[0].start_s, abs=1e-4)
    assert float(mean_mps) == pytest.approx(recording.strokes[0].mean_speed_mps, abs=1e-5)


BALL_HZ = 800
BALL_STEPS = [RestStep(1.0), WanderStep(20.0, 0.09, 0.5), RestStep(1.0)]


@pytest.fixture(scope="module")
def ball():
    return rolling_ball(BALL_STEPS, radius_m=0.06, rate_hz=BALL_HZ, dice=np.random.default_rng(1))


def test_a_ball_keeps_to_its_mean_speed_and_spin(ball):
    wandering = ball.speed_mps[BALL_HZ:-BALL_HZ]
    assert wandering.mean() == pytest.approx(0.09, rel=1e-2)
    world_rate = np.einsum("nij,nj->ni", ball.to_world, ball.rate_radps)
    assert world_rate[BALL_HZ:-BALL_HZ, 2].std() == pytest.approx(0.5, rel=0.01)
    np.testing.assert_allclose(
        np.linalg.norm(world_rate[:, :2], axis=1) * 0.06, ball.speed_mps, atol=1e-9
    )


def test_a_ball_feels_the_second_difference_of_its_path(ball):
    """Gravity's direction u in the ball obeys v = -R u' (no slip), whatever the spin."""
    accel = specific_force(ball, Mounting(axle="+z", phase_rad=0.4))
    world = np.einsum("nji,nj->ni", ball.to_world, ball.accel_mps2 + GRAVITY_MPS2 * ball.up)
    np.testing.assert_allclose(
        np.linalg.norm(accel, axis=1), np.linalg.norm(world, axis=1), rtol=1e-12
    )
    up = ball.to_world[:, 2, :]
    turning = np.gradient(up, 1 / BALL_HZ, axis=0)
    np.testing.assert_allclose(
        0.06 * np.linalg.norm(turning, axis=1)[2:-2], ball.speed_mps[2:-2], atol=2e-4
    )


def test_a_ball_s_gyroscope_turns_its_accelerometer(ball):
    gravity = GRAVITY_MPS2 * ball.to_world[:, 2, :]
    change = np.gradient(gravity, 1 / BALL_HZ, axis=0)
    turned = -np.cross(ball.rate_radps, gravity)
    np.testing.assert_allclose(change[2:-2], turned[2:-2], atol=0.02)
    assert angular_rate(ball, Mounting()).shape == (len(ball), 3)


def test_a_stroke_is_a_run_of_one_direction_by_the_rule():
    t_s = np.arange(0, 10, 0.01)
    speed = np.zeros_like(t_s)
    speed[100:300] = 0.05  # 2 s, 10 cm
    speed[320:400] = 0.05  # goes on after 0.2 s
    speed[450:460] = -0.2  # too short a time
    speed[500:600] = -0.02  # too short a way
    speed[700:750] = -0.1
    first, second = true_strokes(t_s, speed)
    assert (first.direction, second.direction) == (1, -1)
    # A straight line from 0 to 5 cm/s passes 6 mm/s after 12 % of the way.
    assert first.start_s == pytest.approx(1.0 - 0.88 * 0.01)
    assert first.end_s == pytest.approx(3.99 + 0.88 * 0.01)
    assert first.length_m == pytest.approx(0.14, abs=0.001)
    assert second.mean_speed_mps == pytest.approx(0.1, rel=0.02)
    assert second.n == 2


def test_nothing_known_is_no_stroke():
    t_s = np.arange(0, 5, 0.01)
    assert true_strokes(t_s, np.full_like(t_s, np.nan)) == ()


def test_a_scenario_may_be_the_difference_to_a_bundled_one(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('base = "rough"\nabout = "mine"\n[bumps]\nheight_m = 0.0002\n')
    scenario = load_scenario(str(path))
    assert scenario.bumps.height_m == 0.0002
    assert scenario.bumps.regular
    assert scenario.steps == SCENARIOS["rough"].steps
