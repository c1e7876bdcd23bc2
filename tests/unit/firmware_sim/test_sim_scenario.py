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


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"back, .*calf, .*typical"):
        load_scenario("elbow")
