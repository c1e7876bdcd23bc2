import zipfile

import numpy as np
import pytest

from rolltrack.errors import InputError, UsageError
from rolltrack.traces.convert import convert

MAP = "t=when:ms,ax=a1:g,ay=-a2:g,az=a3:g,gx=w1:dps,gy=w2:dps,gz=w3:dps"


def log(times, row="0.1;0.2;0.97;90;0;-90", header="when;a1;a2;a3;w1;w2;w3"):
    return "\n".join([header, *(f"{t};{row}" for t in times)])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.csv"


def test_columns_named_by_hand(path):
    path.write_text(log([0, 10, 20]))
    found = convert(path, mapping=MAP, radius_m=0.07, started_at=1.5e9)
    samples, meta = found.trace.samples, found.trace.meta
    np.testing.assert_allclose(samples.t_s, [0, 0.01, 0.02])
    np.testing.assert_allclose(samples.accel_mps2[0], np.array([0.1, -0.2, 0.97]) * 9.80665)
    np.testing.assert_allclose(samples.gyro_radps[0], [np.pi / 2, 0, -np.pi / 2])
    assert (meta.radius_m, meta.started_at_unix_s) == (0.07, 1.5e9)


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("", "cannot read ''"),
        ("t=when:s,ax", "cannot read 'ax'"),
        ("t=when:s,bx=a1:g", "cannot read 'bx=a1:g'"),
        ("t=when:s,ax=a1:g,ay=a2:g,az=a3:stone", "'stone' is no unit for az. Known: m/s^2"),
        ("t=when:s,ax=a1:g", "ax, ay and az belong together"),
        ("t=when:s", "needs t and ax"),
        ("ax=a1:g,ay=a2:g,az=a3:g", "needs t and ax"),
        ("t=wen:s,ax=a1:g,ay=a2:g,az=a3:g", "no column 'wen'. Did you mean 'when'?"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_named(path, mapping, expected):
    path.write_text(log([0, 1]))
    with pytest.raises(UsageError) as caught:
        convert(path, mapping=mapping)
    assert expected in str(caught.value)


def test_times_are_mended_and_what_was_done_is_said(path):
    path.write_text(log([0, 10, 10, 30, 20, 40, 40, ""]))
    found = convert(path, mapping=MAP)
    np.testing.assert_allclose(found.trace.samples.t_s, [0, 0.01, 0.02, 0.03, 0.04])
    assert found.notes == (
        "dropped 2 readings with repeated times",
        "dropped 1 reading without a time",
        "put 1 reading in order that came late",
    )


def test_two_recordings_in_one_file_are_refused(path):
    path.write_text(log([0, 1000, 2000, 3000, 0, 1000]))
    with pytest.raises(InputError, match=r"goes back from 3.000 s to 0.000 s at reading 5"):
        convert(path, mapping=MAP)


def test_wrong_units_are_found_after_conversion_too(path):
    path.write_text(log(range(0, 300, 10)))
    with pytest.raises(InputError, match="as if in g"):
        convert(path, mapping=MAP.replace(":g", ":m/s2"))


def test_a_trace_stays_a_trace(path):
    path.write_text("# radius_m: 0.05\nt_s,gx_radps,gy_radps,gz_radps\n0,1,2,3\n1,1,2,3\n")
    found = convert(path)
    assert found.format_name == "rolltrack trace"
    assert found.trace.meta.radius_m == 0.05
    assert convert(path, radius_m=0.06).trace.meta.radius_m == 0.06


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"just text", b"a,b,c\n1,2,3\n", b"\x00\x01\x02,\x03\n", b"\xff\xfe\xfd,,\n"],
)
def test_what_is_no_recording_is_refused_in_one_line(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        convert(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_a_damaged_and_an_empty_zip(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        convert(tmp_path / "nowhere.zip")
    whole = tmp_path / "a.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Raw Data.csv", log(range(2000)))
    data = bytearray(whole.read_bytes())
    data[100:140] = bytes(40)
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        convert(tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "c.zip", "w"):
        pass
    with pytest.raises(InputError, match="no recording of a known format"):
        convert(tmp_path / "c.zip")


@pytest.mark.parametrize(
    ("last", "expected"),
    [("0.02,1", "line 4 has 2 of 4 cells"), ("0.02,1,x,3", "line 4, column 'gyr Y (dps)': 'x'")],
)
def test_the_line_of_a_bad_cell_is_named(path, last, expected):
    path.write_text(f"Time (s),gyr X (dps),gyr Y (dps),gyr Z (dps)\n0,1,2,3\n0.01,1,2,3\n{last}")
    with pytest.raises(InputError) as caught:
        convert(path)
    assert expected in str(caught.value)


def test_progress_reaches_the_whole(path):
    path.write_text(log(range(0, 3000, 10)))
    seen = []
    convert(path, mapping=MAP, on_progress=lambda done, of_all: seen.append(done / of_all))
    assert seen == sorted(seen)
    assert 0.9 < seen[-1] <= 1.0
