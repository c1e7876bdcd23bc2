import json
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolltrack.errors import InputError
from rolltrack.traces.convert import convert
from rolltrack.traces.reader import iter_trace, read_trace
from rolltrack.traces.writer import write_trace

HEADERS = [
    "t_s,ax_mps2,ay_mps2,az_mps2",
    "t_s,gx_radps,gy_radps,gz_radps",
    '"Time (s)","Gyroscope x (rad/s)","Gyroscope y (rad/s)","Gyroscope z (rad/s)"',
    "Time (s);Acceleration x (m/s^2);Acceleration y (m/s^2);Acceleration z (m/s^2)",
    "time,seconds_elapsed,z,y,x",
    "t [ms]\tAcc X [g]\tAcc Y [g]\tAcc Z [g]",
]
NUMBERS = st.floats().map(repr) | st.integers(-(10**20), 10**20).map(str)
CELLS = NUMBERS | st.sampled_from(
    ["", " ", "nan", "-inf", "1_0", "0,5", '"', '"3"', "x", "\0", "\u2028"]
)
SEPARATORS = st.sampled_from([",", ";", "\t"])


@st.composite
def tables(draw):
    header = draw(st.sampled_from(HEADERS))
    separator = draw(st.sampled_from([s for s in ",;\t" if s in header]))
    rows = draw(st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=8))
    increasing = draw(st.booleans())
    lines = [
        separator.join([str(k), *row[1:]] if increasing else row) for k, row in enumerate(rows)
    ]
    return "\n".join([header, *lines]) + draw(st.sampled_from(["", "\n", "\r\n", "\n\n"]))


any_file = st.binary(max_size=100) | tables().map(str.encode)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("traces")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(any_file)
def test_any_file_is_a_sound_trace_or_an_input_error(folder, content):
    path = folder / "any.csv"
    path.write_bytes(content)
    with suppress(InputError):
        samples = read_trace(path).samples
        assert np.isfinite(samples.t_s).all()
        assert (np.diff(samples.t_s) > 0).all()
        for triple in (samples.accel_mps2, samples.gyro_radps):
            if triple is not None:
                assert not np.isinf(triple).any()
                missing = np.isnan(triple)
                assert (missing.any(axis=1) == missing.all(axis=1)).all()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(any_file, st.sampled_from(["any.csv", "any.zip", "Gyroscope.csv"]))
def test_any_recording_converts_to_a_trace_that_can_be_read_or_is_refused(folder, content, name):
    path = folder / "in" / name
    path.parent.mkdir(exist_ok=True)
    for old in path.parent.iterdir():
        old.unlink()
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("Accelerometer.csv", content)
            archive.writestr("meta/time.csv", content)
    else:
        path.write_bytes(content)
    with suppress(InputError):
        converted = convert(path)
        write_trace(folder / "out.csv", converted.trace)
        assert len(read_trace(folder / "out.csv").samples) == len(converted.trace.samples)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["sensor", "time", "seconds_elapsed", "x", "y", "z"]), CELLS
        )
    )
)
def test_any_json_export_converts_or_is_refused(folder, rows):
    path = folder / "export.json"
    path.write_text(json.dumps([{"sensor": "Gyroscope"} | row for row in rows]))
    with suppress(InputError):
        convert(path)


@given(st.integers(1, 40), st.integers(1, 60))
def test_any_cut_into_blocks_gives_the_same_readings(folder, rows, size):
    path = folder / "blocks.csv"
    lines = [f"{k / 10},{k},{-k},{'' if k % 3 == 0 else k}\n" for k in range(rows)]
    path.write_text("t_s,gx_radps,gy_radps,gz_radps\n" + "".join(lines))
    gyro = np.concatenate([block.gyro_radps for block in iter_trace(path, size)])
    np.testing.assert_array_equal(gyro, read_trace(path).samples.gyro_radps)
