"""What holds for every scenario and seed."""

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.chip import Accelerometer, Gyroscope
from firmware_sim.effects.bumps import Bumps
from firmware_sim.effects.impacts import Impacts
from firmware_sim.effects.losses import Losses
from firmware_sim.effects.slip import Slip
from firmware_sim.effects.surface import Surface
from firmware_sim.effects.tremor import Tremor
from firmware_sim.effects.vibration import Vibration
from firmware_sim.mounting import Mounting, Scatter
from firmware_sim.scenario import Scenario
from firmware_sim.session import record
from firmware_sim.steps import CarryStep, RestStep, RollStep
from firmware_sim.trace import write_trace

seeds = st.integers(0, 2**32)


def maybe(strategy):
    return st.none() | strategy


steps = st.lists(
    st.one_of(
        st.builds(RestStep, st.floats(1, 3), rocking_mps=st.sampled_from([0.0, 0.002])),
        st.builds(
            RollStep,
            st.integers(1, 3),
            st.just((0.05, 0.3)),
            st.just((0.05, 0.3)),
            pause_s=st.just((0.0, 0.5)),
            draw=st.sampled_from(["even", "log"]),
            style=st.sampled_from(["smooth", "measured", "mixed"]),
        ),
        st.builds(CarryStep, st.floats(2, 4)),
    ),
    min_size=1,
    max_size=4,
)
scenarios = st.builds(
    Scenario,
    about=st.just("any"),
    radius_m=st.floats(0.03, 0.1),
    rate_hz=st.sampled_from([25.0, 50.0, 100.0, 200.0, 400.0]),
    sensors=st.sampled_from(["accel", "gyro", "both"]),
    steps=steps.map(tuple),
    mounting=st.builds(
        Mounting,
        scatter=st.builds(Scatter, any_phase=st.booleans(), lever_m=st.floats(0, 0.03)),
    ),
    accelerometer=st.builds(
        Accelerometer, bias_mps2=st.floats(0, 1), bits=st.sampled_from([0, 12, 16])
    ),
    gyroscope=st.builds(Gyroscope, gain=st.floats(0, 0.02), bits=st.sampled_from([0, 12, 16])),
    surface=maybe(st.builds(Surface, kind=st.sampled_from(["floor", "wall"]))),
    vibration=maybe(st.builds(Vibration, rms_mps2=st.floats(0, 0.5))),
    bumps=maybe(st.builds(Bumps, height_m=st.floats(0, 0.0003), regular=st.booleans())),
    tremor=maybe(st.builds(Tremor, rms_mps2=st.floats(0, 0.1))),
    impacts=maybe(st.builds(Impacts, every_s=st.floats(1, 10))),
    slip=maybe(st.builds(Slip, slide=st.floats(-1, 0.5), every_s=maybe(st.floats(1, 10)))),
    losses=st.builds(Losses, packets=st.floats(0, 0.2), jitter_s=st.floats(0, 0.00125)),
)


@settings(max_examples=40, deadline=None)
@given(scenario=scenarios, seed=seeds)
def test_any_scenario_can_be_played_and_stays_physical(scenario, seed):
    trace = record(scenario, seed).trace
    assert np.all(np.diff(trace.t_s) > 0)
    for readings in (trace.accel_mps2, trace.gyro_radps):
        assert readings is None or np.isfinite(readings).all()
    known = np.isfinite(trace.true_speed_mps)
    assert np.all(np.abs(trace.true_speed_mps[known]) < 3)


@settings(max_examples=15, deadline=None)
@given(scenario=scenarios, seed=seeds)
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(
    tmp_path_factory, scenario, seed
):
    folder = tmp_path_factory.mktemp("seeds")
    noisy = msgspec.structs.replace(
        scenario, sensors="both", gyroscope=Gyroscope(noise_radps_rthz=0.01)
    )
    for name, number in (("one", seed), ("two", seed), ("other", seed + 1)):
        write_trace(folder / f"{name}.csv.gz", record(noisy, number).trace)
    one, two, other = ((folder / f"{n}.csv.gz").read_bytes() for n in ("one", "two", "other"))
    assert one == two
    assert one != other


@settings(max_examples=40, deadline=None)
@given(scenario=scenarios, seed=seeds)
def test_true_strokes_are_long_enough_apart_and_as_long_as_the_speed_says(scenario, seed):
    recording = record(msgspec.structs.replace(scenario, losses=Losses()), seed)
    trace = recording.trace
    speed = np.nan_to_num(trace.true_speed_mps)
    place_m = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2 * np.diff(trace.t_s))])
    before_s = -np.inf
    for stroke in recording.strokes:
        assert before_s < stroke.start_s < stroke.end_s
        before_s = stroke.end_s
        assert stroke.length_m >= 0.025
        assert stroke.end_s - stroke.start_s >= 0.25
        first_m, last_m = np.interp([stroke.start_s, stroke.end_s], trace.t_s, place_m)
        coarse_m = 2 * np.abs(speed).max() / scenario.rate_hz
        assert abs(abs(last_m - first_m) - stroke.length_m) < coarse_m


@settings(max_examples=20, deadline=None)
@given(
    seed=seeds,
    radius_m=st.floats(0.03, 0.1),
    mounting=st.builds(Mounting, phase_rad=st.floats(-3, 3)),
)
def test_on_an_ideal_floor_the_phase_obeys_the_no_slip_law(seed, radius_m, mounting):
    """atan2 of the force = angle - (R/g) angle'', for the small leaning of slow strokes."""
    step = RollStep(2, (0.1, 0.2), (0.05, 0.1), pause_s=(0.3, 0.3))
    scenario = Scenario(about="", radius_m=radius_m, steps=(step,), mounting=mounting)
    trace = record(scenario, seed).trace
    rate = trace.true_speed_mps / radius_m
    angle = np.concatenate([[0], np.cumsum((rate[1:] + rate[:-1]) / 200)])
    expected = angle - np.arctan2(radius_m * np.gradient(rate, 0.01), 9.80665)
    phase = -np.unwrap(np.arctan2(trace.accel_mps2[:, 1], trace.accel_mps2[:, 0]))
    np.testing.assert_allclose(phase - phase[0], expected - expected[0], atol=0.02)
