import gzip

import numpy as np
import pytest

from rolltrack.errors import InputError
from rolltrack.traces.reader import iter_trace, open_trace, read_trace

HEADER = "t_s,ax_mps2,ay_mps2,az_mps2,gx_radps,gy_radps,gz_radps\n"
REST = "0,0,9.81,0,0,0"


@pytest.fixture
def write(tmp_path):
    def _write(content, name="roll.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


def rows(*times):
    return "".join(f"{t},{REST}\n" for t in times)


def refused(path):
    with pytest.raises(InputError) as caught:
        read_trace(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def test_reads_metadata_and_readings(write):
    path = write(
        "# rolltrack-trace: 1\n# started_at: 2026-11-23T10:13:20.123Z\n# radius_m: 0.075\n"
        "# axle: 0 0 -2\n# device: a: b\n" + HEADER + "0.0,1,2,9,4,5,6\n0.01,-1,-2,-9,-4,-5,-6\n"
    )
    trace = read_trace(path)
    assert trace.name == "roll"
    assert trace.meta.started_at_unix_s == pytest.approx(1795428800.123, abs=1e-6)
    assert trace.meta.radius_m == 0.075
    assert trace.meta.axle == (0, 0, -1)
    assert trace.meta.other == {"device": "a: b"}
    assert trace.samples.t_s.tolist() == [0.0, 0.01]
    assert trace.samples.accel_mps2.tolist() == [[1, 2, 9], [-1, -2, -9]]
    assert trace.samples.gyro_radps.tolist() == [[4, 5, 6], [-4, -5, -6]]
    assert trace.true_speed_mps is None


def test_columns_are_found_by_name_in_any_order_and_others_ignored(write):
    path = write("note,gz_radps,t_s,gx_radps,true_speed_mps,gy_radps\nnan text,3,0.5,1,0.2,2\n")
    trace = read_trace(path)
    assert trace.samples.accel_mps2 is None
    assert trace.samples.gyro_radps.tolist() == [[1, 2, 3]]
    assert trace.true_speed_mps.tolist() == [0.2]


def test_a_plain_csv_with_crlf_bom_and_padding_is_a_trace(write):
    path = write("\ufeff" + HEADER.replace("\n", "\r\n") + "0.0, 0, 0, 9.8, 0, 0, 0\r\n\r\n")
    assert read_trace(path).samples.accel_mps2.tolist() == [[0, 0, 9.8]]


def test_an_empty_cell_makes_the_whole_reading_missing(write):
    path = write(HEADER + "0,0,,9.8,1,2,3\n1,0,0,9.8,,,\n2,,,,,,3\n3,0,0,9.8, ,2,3")
    samples = read_trace(path).samples
    assert np.isnan(samples.accel_mps2).all(axis=1).tolist() == [True, False, True, False]
    assert np.isnan(samples.gyro_radps).all(axis=1).tolist() == [False, True, True, True]


def test_empty_cells_at_the_start_of_a_row(write):
    path = write("gx_radps,gy_radps,gz_radps,t_s\n,,,0\n1,2,3,1\n")
    assert np.isnan(read_trace(path).samples.gyro_radps).any(axis=1).tolist() == [True, False]


def test_gzip_is_recognised_whatever_the_name(write):
    path = write(gzip.compress((HEADER + rows(0, 1)).encode()), "roll.csv.gz")
    assert read_trace(path).name == "roll"
    assert len(read_trace(write(path.read_bytes(), "other.csv")).samples) == 2


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_blocks_hold_the_same_readings_as_the_whole(write, size):
    path = write(HEADER + rows(*range(8)))
    blocks = list(iter_trace(path, size))
    assert all(len(block) == size for block in blocks[:-1])
    assert np.concatenate([b.t_s for b in blocks]).tolist() == list(range(8))


def test_open_trace_does_not_read_the_rows(write):
    head = open_trace(write("# radius_m: 0.31\n" + HEADER + "not,a,number\n"))
    assert head.meta.radius_m == 0.31
    assert head.columns.accel
    assert head.size_bytes == head.path.stat().st_size


def test_progress_ends_at_the_size_of_the_file(write):
    seen = []
    path = write(HEADER + rows(*range(2000)))
    list(iter_trace(path, 500, on_bytes=seen.append))
    assert seen == sorted(seen)
    assert seen[-1] == path.stat().st_size


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "empty"),
        ("\n\n", "no header"),
        (HEADER, "no readings"),
        (b"\x00\x01\x02binary\xff\xfe", "not a text file"),
        (b"PK\x03\x04rest of a zip", "zip archive"),
        ("time,ax_mps2\n1,2\n", "no column t_s (found: time, ax_mps2)"),
        ("t_s,ax_mps2,ay_mps2\n0,1,2\n", "lacks az_mps2"),
        ("t_s,speed\n0,1\n", "neither ax_mps2"),
        ("t_s,t_s,gx_radps,gy_radps,gz_radps\n0,0,1,1,1\n", "names t_s twice"),
        ("# rolltrack-trace: 2\n" + HEADER + rows(0), "version '2'"),
        ("# started_at: yesterday\n" + HEADER + rows(0), "started_at: 'yesterday' is not"),
        ("# started_at: 2026-11-23T10:13:20\n" + HEADER + rows(0), "with Z or an offset"),
        ("# radius_m: 75\n" + HEADER + rows(0), "radius_m is '75'"),
        ("# radius_m: nan\n" + HEADER + rows(0), "radius_m is 'nan'"),
        ("# radius_m: 0\n" + HEADER + rows(0), "radius_m is '0'"),
        ("# radius_m: 0.0049\n" + HEADER + rows(0), "radius_m is '0.0049'"),
        ("# radius_m: 1.1\n" + HEADER + rows(0), "write 0.005 to 1 m, for example 0.075"),
        ("# axle: 0 0 0\n" + HEADER + rows(0), "axle is '0 0 0'"),
        ("# axle: 0 nan 1\n" + HEADER + rows(0), "axle is '0 nan 1'"),
        ("# axle: 0 inf 1\n" + HEADER + rows(0), "axle is '0 inf 1'"),
        ("# axle: 0 1\n" + HEADER + rows(0), "axle is '0 1'"),
        (HEADER + rows(0, 1) + f"nan,{REST}\n", "line 4: 'nan'"),
        (HEADER + rows(0) + "1,inf,0,0,0,0,0\n", "line 3: 'inf'"),
        (HEADER + rows(0) + "1,1e999,0,0,0,0,0\n", "line 3: '1e999'"),
        (HEADER + rows(0) + "1,1e200,0,0,0,0,0\n", "line 3: '1e200'"),
        (HEADER + rows(0) + f",{REST}\n", "line 3 has no time"),
        (HEADER + rows(0) + "1,up,0,0,0,0,0\n", "line 3: 'up' is not a number"),
        (HEADER + rows(0) + "\n1,0.5,0", "line 4 has 3 of 7 cells, as if cut off"),
        (HEADER + rows(0, 2) + "\n" + rows(1), "line 5 (t_s = 1) goes back in time"),
        (HEADER + rows(0, 1, 1), "line 4 (t_s = 1) repeats the time 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(write, content, expected):
    assert expected in refused(write(content))


def test_order_is_checked_from_block_to_block(write):
    path = write(HEADER + rows(0, 1, 0.5))
    with pytest.raises(InputError, match=r"line 4 \(t_s = 0.5\)"):
        list(iter_trace(path, 2))


def test_a_cut_gzip_file_is_named(write):
    whole = gzip.compress((HEADER + rows(*np.random.default_rng(1).random(500).cumsum())).encode())
    assert "cut off or damaged" in refused(write(whole[:-20], "roll.csv.gz"))


def test_a_missing_file_is_named(tmp_path):
    assert "No such file" in refused(tmp_path / "nowhere.csv")


def test_a_folder_is_not_a_trace(tmp_path):
    assert "cannot be read" in refused(tmp_path)


@pytest.mark.parametrize(
    ("scale", "expected"), [(1 / 9.80665, "as if in g"), (0.02, "gravity"), (1000, "mg")]
)
def test_wrong_units_are_named(write, scale, expected):
    body = "".join(f"{t},{0.1 * scale},{9.7 * scale},{0.3 * scale},0,0,0\n" for t in range(20))
    assert expected in refused(write(HEADER + body))
