import zipfile

import numpy as np
import pytest

from rolltrack.errors import InputError
from rolltrack.traces.convert import convert

GYRO = [f"Gyroscope {axis} (rad/s)" for axis in "xyz"]
ACCEL = [f"Acceleration {axis} (m/s^2)" for axis in "xyz"]
LINEAR = [f"Linear Acceleration {axis} (m/s^2)" for axis in "xyz"]


def table(columns, rows, *, separator=",", decimal="."):
    def cell(value):
        return f"{value:.9E}".replace(".", decimal)

    names = ["Time (s)", *columns, "Absolute (any)"]
    lines = [separator.join(f'"{name}"' for name in names)]
    lines += [separator.join(cell(v) for v in (*row, 0.0)) for row in rows]
    return "\n".join(lines) + "\n"


def rows(n=30, start_s=0.0, values=(0.1, -0.2, 9.7)):
    return [(start_s + 0.01 * k, *values) for k in range(n)]


@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", "."), ("\t", "."), (";", ","), ("\t", ",")]
)
def test_every_separator_and_decimal_sign(tmp_path, separator, decimal):
    path = tmp_path / "Raw Data.csv"
    path.write_text(table(GYRO, rows(), separator=separator, decimal=decimal))
    found = convert(path)
    assert found.format_name == "phyphox"
    samples = found.trace.samples
    np.testing.assert_allclose(samples.t_s, 0.01 * np.arange(30))
    np.testing.assert_allclose(samples.gyro_radps, [[0.1, -0.2, 9.7]] * 30)
    assert samples.accel_mps2 is None


def test_a_zip_with_a_sheet_per_sensor_and_the_start(tmp_path):
    path = tmp_path / "roll.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Accelerometer.csv", table(ACCEL, rows()))
        ramp = [(0.004 + 0.01 * k, 0.0, 0.0, 0.01 * k) for k in range(-1, 30)]
        archive.writestr("Gyroscope.csv", table(GYRO, ramp))
        archive.writestr("Linear Acceleration.csv", table(LINEAR, rows(values=(0, 0, 0.1))))
        archive.writestr(
            "meta/time.csv",
            '"event","experiment time","system time","system time text"\n'
            '"START",0.5,1698501144.75,"2023-10-28"\n"PAUSE",1.0,1698501145.25,"2023-10-28"\n',
        )
        archive.writestr("meta/device.csv", '"property","value"\n"version","1.1"\n')
    found = convert(path)
    samples = found.trace.samples
    assert found.trace.meta.started_at_unix_s == 1698501144.25
    np.testing.assert_allclose(samples.t_s, 0.01 * np.arange(30))
    np.testing.assert_allclose(samples.accel_mps2, [[0.1, -0.2, 9.7]] * 30)
    np.testing.assert_allclose(samples.gyro_radps[:, 2], samples.t_s - 0.004, atol=1e-9)
    assert found.notes == ()


def test_gravity_free_alone_is_refused_and_left_out_beside_a_gyroscope(tmp_path):
    path = tmp_path / "roll.csv"
    path.write_text(table(LINEAR, rows(values=(0, 0, 0.1))))
    with pytest.raises(InputError, match=r"Acceleration \(with g\)"):
        convert(path)
    both = [(*row, 0.0, 0.0, 1.0) for row in rows(values=(0, 0, 0.1))]
    path.write_text(table([*LINEAR, *GYRO], both))
    found = convert(path)
    assert found.trace.samples.accel_mps2 is None
    assert found.trace.samples.gyro_radps is not None
    assert "gravity has been taken out" in found.notes[0]


def test_nan_cells_are_missing_readings(tmp_path):
    path = tmp_path / "roll.csv"
    path.write_text(table(GYRO, [*rows(), (0.5, 0.0, float("nan"), 0.0)]))
    assert np.isnan(convert(path).trace.samples.gyro_radps[-1]).all()
