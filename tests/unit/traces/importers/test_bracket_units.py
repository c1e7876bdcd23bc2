import math

import numpy as np
import pytest

from rolltrack.errors import InputError
from rolltrack.traces.convert import convert

HEADER = [
    "Time (s)",
    "Gyroscope X (deg/s)",
    "Gyroscope Y (deg/s)",
    "Gyroscope Z (deg/s)",
    "Accelerometer X (g)",
    "Accelerometer Y (g)",
    "Accelerometer Z (g)",
    "Magnetometer X (uT)",
    "Note",
]
ROW = ["180", "-90", "0", "0.5", "0", "-0.8", "12", "left (leg)"]


@pytest.fixture
def table(tmp_path):
    def _table(header=HEADER, row=ROW, times=None):
        times = times or [f"{0.01 * k:.6f}" for k in range(20)]
        path = tmp_path / "log.csv"
        path.write_text("\n".join(",".join(r) for r in [header, *([t, *row] for t in times)]))
        return path

    return _table


def test_units_become_si(table):
    found = convert(table())
    assert found.format_name == "CSV with units in brackets"
    samples = found.trace.samples
    np.testing.assert_allclose(samples.accel_mps2, [[4.903325, 0, -7.84532]] * 20)
    np.testing.assert_allclose(samples.gyro_radps, [[math.pi, -math.pi / 2, 0]] * 20)


@pytest.mark.parametrize(
    ("unit", "factor"), [("m/s^2", 1), ("m/s²", 1), ("M/S2", 1), ("mg", 0.00980665), ("G", 9.80665)]
)
@pytest.mark.parametrize("name", ["acc_{}", "Accel{}", "Accelerometer {}", "ACCELERATION-{}"])
def test_names_and_units_of_accelerometers(table, unit, factor, name):
    values = np.array([0.6, 0.0, 0.8]) * 9.80665 / factor
    header = ["t [ms]", *(f"{name.format(axis)} [{unit}]" for axis in "XYZ")]
    samples = convert(
        table(header, [repr(float(v)) for v in values], ["0", "10", "20"])
    ).trace.samples
    np.testing.assert_allclose(samples.t_s, [0, 0.01, 0.02])
    np.testing.assert_allclose(samples.accel_mps2, [[5.88399, 0, 7.84532]] * 3)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("rad/s", 1), ("dps", math.pi / 180), ("°/s", math.pi / 180), ("deg/sec", math.pi / 180)],
)
@pytest.mark.parametrize("name", ["gyr_{}", "motionRotationRate{}", "Angular velocity {}"])
def test_names_and_units_of_gyroscopes(table, unit, factor, name):
    header = ["Timestamp (us)", *(f"{name.format(axis)} ({unit})" for axis in "xyz")]
    samples = convert(table(header, ["1", "2", "3"], ["0", "5000"])).trace.samples
    np.testing.assert_allclose(samples.t_s, [0, 0.005])
    np.testing.assert_allclose(samples.gyro_radps, np.array([[1, 2, 3]] * 2) * factor)


def test_unix_times_become_stream_times_and_the_start(table):
    header = ["time (ms)", *HEADER[1:]]
    found = convert(table(header, times=["1698501144500", "1698501144510"]))
    np.testing.assert_allclose(found.trace.samples.t_s, [0, 0.01], atol=1e-6)
    assert found.trace.meta.started_at_unix_s == 1698501144.5


def test_linear_acceleration_is_not_taken_for_the_accelerometer(table):
    header = [h.replace("Accelerometer", "Linear acceleration") for h in HEADER]
    found = convert(table(header))
    assert found.trace.samples.accel_mps2 is None
    assert "gravity" in found.notes[0]
    with pytest.raises(InputError, match="gravity has been taken out"):
        convert(table([header[0], *header[4:]], ROW[3:]))


def test_two_columns_for_one_quantity_are_not_guessed_between(table):
    with pytest.raises(InputError, match=r"both 'Accelerometer X \(g\)' and 'Wide Accel X"):
        convert(table([*HEADER[:-1], "Wide Accel X (g)"]))


@pytest.mark.parametrize(
    ("drop", "expected"), [("Time (s)", "no column with the time"), ("Accelerometer Y (g)", None)]
)
def test_missing_columns(table, drop, expected):
    header = ["x" if h == drop else h for h in HEADER]
    if expected is None:
        assert convert(table(header)).trace.samples.accel_mps2 is None
    else:
        with pytest.raises(InputError, match=expected) as caught:
            convert(table(header))
        assert "--map" in str(caught.value)
