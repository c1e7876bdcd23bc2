from __future__ import annotations

import resource
import stat
from contextlib import contextmanager

import numpy as np
import pytest
from support import sample_events as sample

from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.errors import StoreError
from rolltrack.sinks.sink import Roller
from rolltrack.sinks.trace import PAUSE_S, TraceSink
from rolltrack.traces.reader import read_trace

OTHER = Roller("back", "b3m9", "back", 0.05, sample.EPOCH_UNIX_S, "Second")


def readings(start_s: float, n: int = 10, *, gyro: bool = False) -> ImuSamples:
    t_s = start_s + np.arange(n) / 100
    accel_mps2 = np.tile([0.0, 0.0, 9.81], (n, 1))
    return ImuSamples(t_s, accel_mps2, np.zeros((n, 3)) if gyro else None)


@contextmanager
def files_no_longer_than(size_bytes: int):
    """To a writer, the system's limit on file sizes looks like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def recorded(folder, *steps):
    sink = TraceSink(folder)
    await sink.open()
    for roller, outgoing in steps:
        await sink.handle(roller, outgoing)
    await sink.close()
    return sorted(folder.iterdir())


async def test_each_roller_has_a_trace_that_reads_back(tmp_path):
    paths = await recorded(
        tmp_path / "traces",
        (sample.ROLLER, readings(1.0)),
        (OTHER, readings(2.0, gyro=True)),
        (sample.ROLLER, SignalGap(1.1, 1.5)),
        (sample.ROLLER, sample.stroke_ended()),
        (sample.ROLLER, readings(1.5)),
    )
    assert [path.name for path in paths] == [
        "back-20251123T121322.000Z.csv",
        "rt-3f2a-20251123T121321.000Z.csv",
    ]
    back, mine = (read_trace(path) for path in paths)
    np.testing.assert_array_equal(mine.samples.t_s, [*readings(1.0).t_s, *readings(1.5).t_s])
    assert mine.samples.gyro_radps is None
    assert back.samples.gyro_radps is not None
    assert (back.meta.radius_m, mine.meta.radius_m) == (0.05, 0.075)
    assert mine.meta.started_at_unix_s == sample.EPOCH_UNIX_S
    assert mine.meta.other["sensor"] == sample.ROLLER.sensor


async def test_recordings_are_private(tmp_path):
    (path,) = await recorded(tmp_path / "traces", (sample.ROLLER, readings(1.0)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_gyroscope_that_appears_begins_a_new_trace_and_nothing_is_lost(tmp_path):
    paths = await recorded(
        tmp_path,
        (sample.ROLLER, readings(1.0)),
        (sample.ROLLER, readings(2.0, gyro=True)),
        (sample.ROLLER, readings(3.0, gyro=True)),
    )
    assert [len(read_trace(path).samples) for path in paths] == [10, 20]


async def test_a_full_disk_pauses_the_recording_and_then_it_goes_on(tmp_path, caplog):
    sink = TraceSink(tmp_path)
    await sink.open()
    await sink.handle(sample.ROLLER, readings(1.0, 100))
    with files_no_longer_than(6000):
        for start_s in (2.0, 3.0, 4.0):
            await sink.handle(sample.ROLLER, readings(start_s, 100))
    await sink.handle(sample.ROLLER, readings(10.0, 100))
    await sink.handle(sample.ROLLER, readings(5.0 + PAUSE_S, 100))
    await sink.close()
    assert len(caplog.records) == 1
    assert "pauses for 30 s" in caplog.text
    assert [len(read_trace(path).samples) >= 100 for path in sorted(tmp_path.iterdir())] == [
        True
    ] * 2


async def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="no recordings can be written there"):
        await TraceSink(tmp_path / "file" / "traces").open()
