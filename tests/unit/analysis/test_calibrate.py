"""A measured roll tells the radius; a bad one is refused."""

import json

import msgspec
import pytest
from typer.testing import CliRunner

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from firmware_sim.trace import write_trace
from rolltrack.analysis.calibrate import calibrate
from rolltrack.cli.main import app
from rolltrack.errors import InputError


def roll(folder, true_m, *, seed=1, scenario="calibration-roll"):
    path = folder / "roll.csv"
    rolled = msgspec.structs.replace(load_scenario(scenario), radius_m=true_m)
    write_trace(path, record(rolled, seed).trace.with_metadata(radius_m="0.075"))
    return path


@pytest.mark.parametrize("true_m", [0.0675, 0.075, 0.0825])
@pytest.mark.parametrize("sensors", ["accel", "both"])
def test_a_metre_gives_the_radius_to_half_a_per_cent(tmp_path, true_m, sensors):
    found = calibrate(roll(tmp_path, true_m), 1.0, sensors=sensors)
    assert found.radius_m == pytest.approx(true_m, rel=0.005)
    assert 0.005 <= found.radius_sd_m / found.radius_m < 0.01, "no better than the tape, 5 mm"
    assert found.assumed_m == 0.075


def test_a_wrong_number_of_passes_is_refused(tmp_path):
    path = roll(tmp_path, 0.075)
    with pytest.raises(InputError, match="1 passes were found, not 2"):
        calibrate(path, 1.0, passes=2)


def test_strokes_of_different_lengths_are_not_passes(tmp_path):
    path = roll(tmp_path, 0.075, scenario="typical")
    with pytest.raises(InputError, match="passes"):
        calibrate(path, 1.0, passes=9)


def test_less_than_a_turn_is_refused(tmp_path):
    path = roll(tmp_path, 0.5)
    with pytest.raises(InputError, match="turns per pass"):
        calibrate(path, 1.0)


def test_a_distance_that_gives_no_roller_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"radius of 75.. mm") as error:
        calibrate(roll(tmp_path, 0.075), 100.0)
    assert "100 m per pass" in (error.value.hint or "")


def test_a_gyroscope_alone_cannot_know_better_than_its_scale(tmp_path):
    path = roll(tmp_path, 0.075)
    alone = calibrate(path, 1.0, sensors="gyro")
    assert abs(alone.radius_m - 0.075) < 2 * alone.radius_sd_m
    assert alone.radius_sd_m / alone.radius_m > 0.01


def test_the_command_says_what_to_configure(tmp_path):
    path = roll(tmp_path, 0.07)
    result = CliRunner().invoke(app, ["calibrate", str(path), "--distance-m", "1.0"])
    assert result.exit_code == 0
    assert "radius_m = 0.070" in result.stdout
    result = CliRunner().invoke(app, ["calibrate", str(path), "--json"])
    assert json.loads(result.stdout)["radius_m"] == pytest.approx(0.07, rel=0.005)
