"""One trace by Bluetooth, by phone and from the file: the strokes are the same."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import numpy as np
import pytest
from support import phone_emulator
from support.service_process import ended, rolltrack_run, until_line
from support.virtual_ble import SimProcess

import rolltrack.traces
from rolltrack import analyse_trace
from rolltrack.protocols import load_protocol
from rolltrack.store import SessionStore
from rolltrack.traces.reader import read_trace
from rolltrack.traces.trace import Trace, TraceMeta
from rolltrack.traces.writer import write_trace

SAMPLES = Path(rolltrack.traces.__file__).parent / "samples"
PHONE_ONLY = """\
[ble]
enabled = false
[phone]
enabled = true
port = 0
"""

pytestmark = pytest.mark.process


@pytest.mark.parametrize("name", ["calf", "back"], ids=["with gyroscope", "without"])
async def test_bluetooth_and_file_agree(tmp_path, name):
    trace = SAMPLES / f"{name}.csv.gz"
    simulator = await SimProcess.start(str(trace), "--once", "--speed", "8")
    try:
        async with service(tmp_path, "--ble", simulator.where) as process:
            await until_line(process.stderr, b"connection lost")
            live = await strokes_at_the_end(process, tmp_path)
    finally:
        await simulator.end()
    assert_same_strokes(live, offline(trace))


async def test_phone_and_file_agree(tmp_path):
    trace = tmp_path / "calf.csv"
    bundled = read_trace(SAMPLES / "calf.csv.gz")
    # A phone does not tell its axle.
    write_trace(trace, Trace("calf", TraceMeta(bundled.meta.started_at_unix_s), bundled.samples))
    (tmp_path / "rolltrack.toml").write_text(PHONE_ONLY)
    async with service(tmp_path) as process:
        line = await until_line(process.stderr, b"HTTP push URL")
        url = line.decode().split()[-1]
        answers = await asyncio.to_thread(
            phone_emulator.replay,
            bundled.samples,
            url,
            phone_emulator.Phone(),
            epoch_unix_s=bundled.meta.started_at_unix_s,
        )
        assert {status for status, _ in answers} == {200}
        live = await strokes_at_the_end(process, tmp_path)
    assert_same_strokes(live, offline(trace))


def service(folder, *options):
    return rolltrack_run(folder, *options, "--mqtt", "off", "--store", "sessions.db")


async def strokes_at_the_end(process, folder):
    """Stop the service; the strokes it stored."""
    process.send_signal(signal.SIGINT)
    code, _, said = await ended(process)
    assert code == 0, said
    return SessionStore(folder / "sessions.db").get("last").strokes


def offline(trace):
    return analyse_trace(trace, protocol=load_protocol("slow-release")).strokes


def assert_same_strokes(live, expected):
    def told(strokes, *names):
        return np.array([[getattr(each.stroke, name) for name in names] for each in strokes])

    assert len(live) == len(expected) > 5
    assert [each.too_fast for each in live] == [each.too_fast for each in expected]
    np.testing.assert_array_equal(told(live, "direction"), told(expected, "direction"))
    np.testing.assert_allclose(told(live, "length_m"), told(expected, "length_m"), rtol=0.01)
    late_s = told(live, "start_s", "end_s") - told(expected, "start_s", "end_s")
    np.testing.assert_allclose(late_s, np.median(late_s), atol=0.03)  # each has its own second 0
