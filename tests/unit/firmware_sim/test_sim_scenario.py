"""Scenario files and the traces made from them."""

from importlib import resources

import numpy as np
import pytest

from firmware_sim.errors import InputError, UsageError
from firmware_sim.scenario import bundled_scenarios, load_scenario
from firmware_sim.session import generate
from firmware_sim.trace import read_trace

BUNDLED = {"calf": 1, "thigh": 2, "back": 3}

ROLL = """
about = "two strokes"
radius_m = 0.05
[[steps]]
do = "roll"
strokes = 2
length_m = [0.2, 0.3]
mean_speed_mps = [0.05, 0.1]
"""


STROKES = "\ndo = 'roll'\nstrokes = 2\nmean_speed_mps = [0.1, 0.1]\n"


@pytest.mark.parametrize(("name", "seed"), BUNDLED.items())
def test_the_bundled_traces_roll_as_the_documented_commands_make_them_roll(name, seed):
    samples = resources.files("rolltrack.traces") / "samples"
    with resources.as_file(samples / f"{name}.csv.gz") as path:
        bundled = read_trace(path)
        assert path.stat().st_size < 250_000
    made = generate(load_scenario(name), seed)
    np.testing.assert_allclose(bundled.t_s, made.t_s, atol=1e-6)
    np.testing.assert_allclose(bundled.true_speed_mps, made.true_speed_mps, atol=1e-5)
    assert bundled.metadata["synthetic"] == "true"
    assert made.metadata.items() <= bundled.metadata.items()


def test_the_same_seed_gives_the_same_trace_and_another_one_another():
    scenario = load_scenario("calf")
    assert np.array_equal(generate(scenario, 5).accel_mps2, generate(scenario, 5).accel_mps2)
    assert generate(scenario, 5).duration_s != generate(scenario, 6).duration_s


def test_every_bundled_scenario_says_what_it_is_about():
    assert all(scenario.about for scenario in bundled_scenarios().values())


def test_a_scenario_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(ROLL)
    trace = generate(load_scenario(str(path)), 1)
    assert trace.metadata["radius_m"] == "0.05"
    turns = np.flatnonzero(np.diff(np.sign(trace.true_speed_mps[trace.true_speed_mps != 0])))
    assert len(turns) == 1


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("radius_m = 0.05", "radius_m = -1.0", "radius_m"),
        ("strokes = 2", "strkoes = 2", "strkoes"),
        ('do = "roll"', 'do = "fly"', "fly"),
        ("about =", "about", "mine.toml"),
    ],
)
def test_a_faulty_scenario_names_file_and_key(tmp_path, old, new, reason):
    path = tmp_path / "mine.toml"
    path.write_text(ROLL.replace(old, new))
    with pytest.raises(InputError, match=reason) as error:
        load_scenario(str(path))
    assert "mine.toml" in str(error.value)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("radius_m = 75.0", "radius_m"),
        ("radius_m = inf", "radius_m"),
        ("radius_m = nan", "radius_m"),
        ('about = "two\\nlines"', "about"),
        ("accelerometer.full_scale_g = 0.0", r"accelerometer\.full_scale_g"),
        ("accelerometer.noise_mps2_rthz = -1.0", r"accelerometer\.noise_mps2_rthz"),
        ("accelerometer.bias_mps2 = nan", r"accelerometer\.bias_mps2"),
        ("gyroscope.gain = 1.5", r"gyroscope\.gain"),
        ("mounting.lever_m = [0.08, 0.0]", "lever_m"),
        ("bumps = { height_m = 0.001, pitch_m = 0.0 }", r"bumps\.pitch_m"),
        ("vibration = { rms_mps2 = 0.1, full_speed_mps = 0.0 }", r"vibration\.full_speed_mps"),
        ("vibration = { rms_mps2 = 0.1, band_hz = [15.0, 2.0] }", "band_hz"),
        ("tremor = { rms_mps2 = 0.1, band_hz = [600.0, 900.0] }", r"tremor\.band_hz"),
        ("impacts = { every_s = 0.0 }", r"impacts\.every_s"),
        ("impacts = { every_s = 4.0, peak_g = [1.4, 0.8] }", "peak_g.*smaller number first"),
        ("impacts = { every_s = 4.0, width_s = 0.0 }", r"impacts\.width_s"),
        ("losses = { drift_ppm = -2e6 }", r"losses\.drift_ppm"),
        ("losses = { jitter_s = -0.001 }", r"losses\.jitter_s"),
        ("losses = { jitter_s = 0.01 }", r"losses\.jitter_s.*half a period"),
        ("slip = { slide = nan }", r"slip\.slide"),
        ("worn = {}\nslip = { slide = 0.3 }", "worn"),
        ("air = { loss = 1.5 }", r"air\.loss"),
        ("air = { repeats = 0.5 }", "repeats"),
        ("[[steps]]\ndo = 'rest'\nduration_s = 1e5", "steps.*100000 s"),
        ("[[steps]]\ndo = 'rest'\nduration_s = inf", "duration_s"),
        ("[[steps]]\ndo = 'rest'\nduration_s = 0.001", "steps.*0.001 s"),
        ("[[steps]]\ndo = 'rest'\nduration_s = 0.5\nrocking_mps = 0.1", "to rock in"),
        ("[[steps]]\ndo = 'carry'\nduration_s = 0.001", "duration_s"),
        ("[[steps]]\ndo = 'wander'\nduration_s = 9.0\nmean_speed_mps = 0.1", "roller cannot"),
        (f"[[steps]]{STROKES}length_m = [0.3, 0.2]", "length_m.*smaller number first"),
        (f"[[steps]]{STROKES}length_m = [0.2, 0.3]\ntempo_drift = -1.0", "tempo_drift"),
        ('base = "other.toml"', "`base` = 'other.toml' is not one of back"),
        ("base = 3", "`base` = 3"),
    ],
)
def test_a_number_that_cannot_be_is_refused_by_name(tmp_path, key, reason):
    path = tmp_path / "mine.toml"
    path.write_text(key if key.startswith("base") else f'base = "calf"\n{key}\n')
    with pytest.raises(InputError, match=f"mine.toml: .*{reason}"):
        load_scenario(str(path))


@pytest.mark.parametrize("duration_s", [3.0, 3.3, 7.0])
def test_a_short_way_of_a_ball_is_still_a_way(tmp_path, duration_s):
    path = tmp_path / "mine.toml"
    wander = f'[[steps]]\ndo = "wander"\nduration_s = {duration_s}\nmean_speed_mps = 0.1\n'
    path.write_text(f'base = "ball"\n{wander}spin_radps = 0.5\n')
    trace = generate(load_scenario(str(path)), 1)
    assert np.isfinite(trace.accel_mps2).all()
    assert trace.true_speed_mps.mean() == pytest.approx(0.1, rel=0.02)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"back, .*calf, .*typical"):
        load_scenario("elbow")
