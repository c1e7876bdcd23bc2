import json
import zipfile

import numpy as np
import pytest

from rolltrack.errors import InputError
from rolltrack.traces.convert import convert

START_NS = 1_698_501_144_401_773_000
METADATA = (
    "version,device name,recording epoch time,recording time,recording timezone,platform,"
    "appVersion,device id,sensors,sampleRateMs,standardisation,platform version\n"
    "3,Phone,1698501144000,2023-10-28_13-52-24,Europe/Berlin,{platform},1.64,id,Accelerometer|"
    "Gravity,10|10,{standardisation},17\n"
)


def sheet(xyz, n=40, offset_s=0.0):
    """A sensor's CSV; `xyz` are the values at a time, or fixed ones."""
    lines = ["time,seconds_elapsed,z,y,x"]
    for k in range(n):
        t_s = 0.25 + 0.01 * k + offset_s
        x, y, z = xyz(t_s) if callable(xyz) else xyz
        lines.append(f"{START_NS + round((t_s - 0.25) * 1e9)},{t_s:.9f},{z},{y},{x}")
    return "\n".join(lines) + "\n"


def archive(tmp_path, **members):
    path = tmp_path / "2023-10-28_13-52-24.zip"
    with zipfile.ZipFile(path, "w") as out:
        for name, content in members.items():
            out.writestr(f"recording/{name}.csv", content)
    return path


def test_columns_are_read_by_name_and_gravity_is_added_back(tmp_path):
    path = archive(
        tmp_path,
        Accelerometer=sheet((0.1, 0.2, 0.3)),
        Gravity=sheet(lambda t: (t, 0.0, 9.8), offset_s=0.004, n=45),
        Gyroscope=sheet((1.0, 2.0, 3.0), offset_s=-0.003, n=45),
        Metadata=METADATA.format(platform="android", standardisation="false"),
        Annotation="time,seconds_elapsed,text,millisecond_press_duration\n1,2,note,3\n",
    )
    found = convert(path)
    samples = found.trace.samples
    assert found.format_name == "Sensor Logger"
    np.testing.assert_allclose(samples.t_s, 0.25 + 0.01 * np.arange(40))
    np.testing.assert_allclose(samples.accel_mps2[1:, 0], samples.t_s[1:] + 0.1, atol=1e-9)
    np.testing.assert_allclose(samples.accel_mps2[:, 1:], [[0.2, 10.1]] * 40)
    np.testing.assert_allclose(samples.gyro_radps, [[1, 2, 3]] * 40)
    assert found.trace.meta.started_at_unix_s == pytest.approx(START_NS * 1e-9 - 0.25, abs=1e-5)
    assert found.notes == ("added gravity back",)


@pytest.mark.parametrize(
    ("platform", "standardisation", "sign"),
    [("ios", "false", -1), ("ios", "true", 1), ("android", "false", 1), ("iOS", "false", -1)],
)
def test_an_iphones_signs_are_turned_round(tmp_path, platform, standardisation, sign):
    path = archive(
        tmp_path,
        Accelerometer=sheet((0.1, 0.2, 0.3)),
        Gravity=sheet((0.0, 0.0, 9.5)),
        Metadata=METADATA.format(platform=platform, standardisation=standardisation),
    )
    accel = convert(path).trace.samples.accel_mps2
    np.testing.assert_allclose(accel, [[0.1 * sign, 0.2 * sign, 9.8 * sign]] * 40)


def test_total_acceleration_is_preferred(tmp_path):
    path = archive(
        tmp_path,
        Accelerometer=sheet((0, 0, 0.1)),
        Gravity=sheet((0, 0, 9.0)),
        TotalAcceleration=sheet((0, 0, 9.9)),
    )
    np.testing.assert_allclose(convert(path).trace.samples.accel_mps2[:, 2], 9.9)


def test_an_uncalibrated_accelerometer_in_g_is_an_iphones(tmp_path):
    path = archive(tmp_path, AccelerometerUncalibrated=sheet((0.0, 0.1, -0.99)))
    found = convert(path)
    np.testing.assert_allclose(
        found.trace.samples.accel_mps2, [[0.0, -0.980665, 0.99 * 9.80665]] * 40, atol=1e-12
    )
    assert "iPhone" in found.notes[0]


def test_without_metadata_the_guess_about_signs_is_said(tmp_path):
    path = archive(tmp_path, Accelerometer=sheet((0, 0, 0.1)), Gravity=sheet((0, 0, 9.7)))
    assert any("no Metadata.csv" in note for note in convert(path).notes)


def test_gravity_free_alone_is_refused(tmp_path):
    path = archive(tmp_path, Accelerometer=sheet((0, 0, 0.1)))
    with pytest.raises(InputError, match="switch on Gravity"):
        convert(path)


def test_gravity_free_with_a_gyroscope_uses_the_gyroscope(tmp_path):
    path = archive(tmp_path, Accelerometer=sheet((0, 0, 0.1)), Gyroscope=sheet((1, 2, 3)))
    found = convert(path)
    assert found.trace.samples.accel_mps2 is None
    assert "gyroscope alone" in found.notes[0]


@pytest.mark.parametrize("name", ["Accelerometer.csv", "Gyroscope.csv", "."])
def test_an_unpacked_export_is_found_from_any_of_its_files_or_its_folder(tmp_path, name):
    (tmp_path / "Accelerometer.csv").write_text(sheet((0, 0, 0.1)))
    (tmp_path / "Gravity.csv").write_text(sheet((0, 0, 9.7)))
    (tmp_path / "Gyroscope.csv").write_text(sheet((1, 2, 3)))
    samples = convert(tmp_path / name).trace.samples
    np.testing.assert_allclose(samples.accel_mps2[:, 2], 9.8)
    np.testing.assert_allclose(samples.gyro_radps, [[1, 2, 3]] * 40)


def json_rows(sensor, z):
    return [
        {
            "sensor": sensor,
            "time": str(START_NS + k * 10_000_000),
            "seconds_elapsed": f"{0.01 * k:.6f}",
            "z": str(z),
            "y": "0.5",
            "x": "0.25",
        }
        for k in range(30)
    ]


def test_the_json_export(tmp_path):
    path = tmp_path / "roll.json"
    metadata = {"sensor": "Metadata", "version": "3", "platform": "ios", "standardisation": "false"}
    location = {"sensor": "Location", "time": "1", "seconds_elapsed": "0", "latitude": "0.0"}
    rows = json_rows("Accelerometer", 0.1) + json_rows("Gravity", -9.9) + json_rows("Gyroscope", 2)
    path.write_text(json.dumps([*rows, location, metadata], indent=1))
    samples = convert(path).trace.samples
    np.testing.assert_allclose(samples.accel_mps2, [[-0.5, -1.0, 9.8]] * 30)
    np.testing.assert_allclose(samples.gyro_radps, [[0.25, 0.5, 2.0]] * 30)


@pytest.mark.parametrize("content", ['[{"sensor": 3}]', '[{"sensor": "Gyroscope"', '[{"a": 1}]'])
def test_other_json_is_refused(tmp_path, content):
    path = tmp_path / "roll.json"
    path.write_text(content)
    with pytest.raises(InputError, match="not a JSON export"):
        convert(path)


def test_json_with_cells_that_are_no_numbers_is_refused(tmp_path):
    path = tmp_path / "roll.json"
    path.write_text(json.dumps(json_rows("Gyroscope", "up")))
    with pytest.raises(InputError, match="could not convert"):
        convert(path)
