"""The simulator's own trace reader and writer."""

import gzip

import numpy as np
import pytest

from firmware_sim.errors import InputError
from firmware_sim.trace import Trace, read_trace, write_trace

ACCEL_HEADER = "t_s,ax_mps2,ay_mps2,az_mps2"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "trace.csv"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", ["trace.csv", "trace.csv.gz"])
def test_what_is_written_can_be_read(tmp_path, name):
    accel = np.array([[0.1, -9.8, 0.2], [np.nan, np.nan, np.nan], [0.3, -9.7, 0.1]])
    gyro = np.array([[0.01, 0.02, 0.03]] * 3)
    trace = Trace(np.array([0.0, 0.01, 0.025]), accel, gyro, np.array([0.0, 0.1, -0.1]), {"a": "b"})
    write_trace(tmp_path / name, trace)
    read = read_trace(tmp_path / name)
    np.testing.assert_allclose(read.t_s, trace.t_s)
    np.testing.assert_allclose(read.accel_mps2, accel)
    np.testing.assert_allclose(read.gyro_radps, gyro)
    np.testing.assert_allclose(read.true_speed_mps, trace.true_speed_mps)
    assert read.metadata == {"a": "b"}


def test_columns_are_found_by_name(written):
    trace = read_trace(written("note,az_mps2,t_s,ax_mps2,ay_mps2\nx,3,0.0,1,2\ny,6,0.1,4,5\n"))
    assert trace.accel_mps2.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert trace.gyro_radps is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no header"),
        ("# radius_m: 0.075\n", "no header"),
        ("time,ax\n0,1\n", "no column t_s"),
        (f"{ACCEL_HEADER}\n0,0,0,9.8\n", "fewer than two"),
        (f"{ACCEL_HEADER}\n0.1,0,0,9.8\n0.1,0,0,9.8\n", "strictly increasing"),
        (f"{ACCEL_HEADER}\n0.1,0,0,9.8\ninf,0,0,9.8\n", "finite"),
        (f"{ACCEL_HEADER}\n0,0,0,x\n0.1,0,0,9.8\n", "az_mps2"),
        ("t_s,ax_mps2\n0,0\n0.1,0\n", "nothing to replay"),
    ],
)
def test_what_is_no_trace_is_refused_with_the_reason(written, text, reason):
    with pytest.raises(InputError, match=reason):
        read_trace(written(text))


def test_a_file_that_is_missing_binary_or_cut_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_trace(tmp_path / "nothing.csv")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="UTF-8"):
        read_trace(tmp_path / "binary.csv")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"t_s" * 1000)[:-12])
    with pytest.raises(InputError, match="cannot be read"):
        read_trace(tmp_path / "cut.csv.gz")
