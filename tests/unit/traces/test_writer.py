import gzip
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolltrack.core.sample import ImuSamples
from rolltrack.errors import InputError, StoreError
from rolltrack.traces.reader import read_trace
from rolltrack.traces.trace import Trace, TraceMeta
from rolltrack.traces.writer import TraceWriter, write_trace


def samples(n, start_s=0.0, rate_hz=100.0):
    rng = np.random.default_rng(n)
    accel = rng.normal((0, 0, 9.81), 0.1, (n, 3))
    return ImuSamples(start_s + np.arange(n) / rate_hz, accel, rng.normal(0, 3, (n, 3)))


@pytest.mark.parametrize("name", ["roll.csv", "roll.csv.gz"])
def test_what_is_written_is_read_back(tmp_path, name):
    block = samples(300)
    block.accel_mps2[7] = np.nan
    truth = np.linspace(-0.1, 0.1, 300)
    meta = TraceMeta(1795428800.123456, 0.075, (0.6, 0.0, -0.8), {"device": "rt-3f2a"})
    write_trace(tmp_path / name, Trace("roll", meta, block, truth))
    back = read_trace(tmp_path / name)
    assert back.meta.started_at_unix_s == pytest.approx(meta.started_at_unix_s, abs=1e-6)
    assert (back.meta.radius_m, back.meta.axle) == (meta.radius_m, meta.axle)
    assert back.meta.other == meta.other
    assert np.array_equal(back.samples.t_s, block.t_s)
    np.testing.assert_allclose(back.samples.accel_mps2, block.accel_mps2, rtol=1e-8)
    np.testing.assert_allclose(back.samples.gyro_radps, block.gyro_radps, rtol=1e-8)
    np.testing.assert_allclose(back.true_speed_mps, truth, rtol=1e-8)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@given(
    st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=30, unique=True).map(
        sorted
    )
)
def test_any_increasing_times_stay_the_same(tmp_path_factory, times):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    block = ImuSamples(np.array(times), None, np.ones((len(times), 3)))
    write_trace(path, Trace("t", TraceMeta(), block))
    assert read_trace(path).samples.t_s.tolist() == times


def test_only_the_owner_may_read_it(tmp_path):
    write_trace(tmp_path / "roll.csv", Trace("roll", TraceMeta(), samples(3)))
    with TraceWriter(tmp_path / "live.csv", TraceMeta()) as writer:
        writer.append(samples(3))
    for name in ("roll.csv", "live.csv"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_line_break_in_metadata_cannot_become_a_row(tmp_path):
    meta = TraceMeta(other={"name": "evil\n9,9,9,9"})
    write_trace(tmp_path / "roll.csv", Trace("roll", meta, samples(2)))
    assert read_trace(tmp_path / "roll.csv").meta.other == {"name": "evil 9,9,9,9"}


def test_an_existing_recording_is_never_overwritten_by_a_writer(tmp_path):
    path = tmp_path / "roll.csv"
    path.write_text("precious")
    with pytest.raises(StoreError, match="exists already"):
        TraceWriter(path, TraceMeta())
    with pytest.raises(StoreError, match="exists already"):
        write_trace(path, Trace("roll", TraceMeta(), samples(2)), overwrite=False)
    assert path.read_text() == "precious"


def test_a_trace_that_cannot_be_written_is_called_by_its_own_name(tmp_path):
    with pytest.raises(StoreError, match=r"nowhere/roll.csv cannot be written: No such file"):
        write_trace(tmp_path / "nowhere" / "roll.csv", Trace("roll", TraceMeta(), samples(2)))


def test_blocks_must_follow_each_other_and_hold_the_same_sensors(tmp_path):
    with TraceWriter(tmp_path / "roll.csv", TraceMeta()) as writer:
        writer.append(samples(10))
        with pytest.raises(InputError, match="already written"):
            writer.append(samples(10, start_s=0.05))
        with pytest.raises(InputError, match="a block with t_s, gx_radps"):
            writer.append(ImuSamples(np.array([5.0]), None, np.ones((1, 3))))
        writer.append(samples(10, start_s=1.0))
    assert len(read_trace(tmp_path / "roll.csv").samples) == 20


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_and_the_rows_are_kept():
    writer = TraceWriter("/dev/full", TraceMeta(), overwrite=True)
    with pytest.raises(StoreError, match="No space left"):
        writer.append(samples(5))
    with pytest.raises(StoreError, match="No space left"):
        writer.close()


def test_a_block_that_did_not_fit_leaves_no_half_row(tmp_path):
    path = tmp_path / "roll.csv"
    writer = TraceWriter(path, TraceMeta())
    writer.append(samples(100))
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    try:
        with pytest.raises(StoreError, match="File too large"):
            writer.append(samples(100, start_s=1.0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.stat().st_size == size
    writer.append(samples(100, start_s=2.0))
    writer.close()
    assert len(read_trace(path).samples) == 300


RECORD_AND_DIE = """
import os, sys
import numpy as np
from rolltrack.core.sample import ImuSamples
from rolltrack.traces.trace import TraceMeta
from rolltrack.traces.writer import TraceWriter
writer = TraceWriter(sys.argv[1], TraceMeta())
for k in range(300):
    writer.append(ImuSamples(k / 10 + np.arange(10) / 100, None, np.ones((10, 3))))
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(("name", "expected"), [("roll.csv", 3000), ("roll.csv.gz", 2000)])
def test_a_killed_recorder_leaves_a_readable_trace(tmp_path, name, expected):
    path = tmp_path / name
    done = subprocess.run(
        [sys.executable, "-c", RECORD_AND_DIE, str(path)], check=False, timeout=60
    )
    assert done.returncode == -9
    assert len(read_trace(path).samples) == expected


def test_compressed_traces_are_plain_gzip(tmp_path):
    with TraceWriter(tmp_path / "roll.csv.gz", TraceMeta()) as writer:
        for k in range(5):
            writer.append(samples(1000, start_s=10.0 * k))
    text = gzip.decompress((tmp_path / "roll.csv.gz").read_bytes()).decode()
    assert text.count("\n") == 5000 + 2
