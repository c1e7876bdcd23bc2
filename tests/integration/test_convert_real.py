"""Recordings that other people made, from their files to traces, through the command."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rolltrack.cli.convert import app
from rolltrack.errors import UsageError
from rolltrack.traces.reader import read_trace


def data_folder():
    beside = Path(__file__).parents[3] / "shared" / "data"
    return Path(os.environ.get("ROLLTRACK_DATA", beside))


def recording(*parts):
    path = data_folder().joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path.name} is not here: set ROLLTRACK_DATA to the folder with recordings")
    return path


def run(*args):
    return CliRunner().invoke(app, [str(a) for a in args], catch_exceptions=False)


def test_the_wheelchair_wheel(tmp_path):
    source = recording("wheelchair_wheel", "right_wheel_sensors.csv")
    result = run(source, tmp_path / "wheel.csv", "--radius-mm", "310")
    assert result.exit_code == 0
    trace = read_trace(tmp_path / "wheel.csv")
    samples = trace.samples
    # 14 039 rows, of which the radio delivered 31 twice.
    assert len(samples) == 14_008
    assert "dropped 31 readings with repeated times" in result.stderr
    assert "14008 readings of accelerometer and gyroscope over 35.3 s at 406 Hz" in result.stdout
    assert trace.meta.radius_m == 0.31
    # Nearly at rest in the beginning: gravity alone, and hardly any rotation.
    rest = samples.t_s < 0.5
    norm = np.linalg.norm(samples.accel_mps2[rest], axis=1)
    assert np.median(norm) == pytest.approx(9.81, abs=0.3)
    assert np.abs(samples.gyro_radps[rest]).max() < 0.1
    # Fastest straight speed by the gyroscope: 2.6 m/s.
    assert np.abs(samples.gyro_radps[:, 1]).max() * 0.31 == pytest.approx(2.6, abs=0.1)


@pytest.mark.parametrize(("name", "rows"), [("Raw_Data.csv", 1170), ("Raw_Data_12_12.csv", 4848)])
def test_the_ab_wheel_has_only_a_gyroscope(tmp_path, name, rows):
    source = recording("ab_wheel_phyphox", name)
    result = run(source, tmp_path / "ab.csv.gz", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["format"] == "phyphox"
    assert document["rows"] == rows
    assert document["sensors"] == ["gyroscope"]
    assert document["rate_hz"] == pytest.approx(100.3, abs=0.1)
    samples = read_trace(tmp_path / "ab.csv.gz").samples
    assert samples.accel_mps2 is None
    assert len(samples) == rows
    # The fastest turn in the file is 8 rad/s; deg/s would be sixty times as much.
    assert np.abs(samples.gyro_radps).max() < 10


def test_the_recording_itself_is_never_replaced(tmp_path):
    path = tmp_path / "roll.csv"
    path.write_text("t_s,gx_radps,gy_radps,gz_radps\n0,1,2,3\n")
    with pytest.raises(UsageError, match="would replace the recording"):
        run(path, tmp_path / "." / "roll.csv")
    assert path.read_text().startswith("t_s")


@pytest.mark.parametrize(
    ("args", "expected"),
    [(("roll.txt",), "called .csv or .csv.gz"), (("x.csv", "--started-at", "now"), "--started-at")],
)
def test_what_cannot_be_asked_for(tmp_path, args, expected):
    path = tmp_path / "roll.csv"
    path.write_text("t_s,gx_radps,gy_radps,gz_radps\n0,1,2,3\n")
    with pytest.raises(UsageError, match=expected):
        run(path, tmp_path / args[0], *args[1:])
