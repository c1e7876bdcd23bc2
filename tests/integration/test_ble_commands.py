"""`rolltrack scan` and `rolltrack record` as their users run them, against the simulator."""

import asyncio
import json
import signal
import stat
import sys

import numpy as np
import pytest
from support.virtual_ble import SimProcess

from rolltrack.traces.reader import read_trace

pytestmark = pytest.mark.process

TRACE = "src/rolltrack/traces/samples/calf.csv.gz"
TIMEOUT_S = 60


@pytest.fixture
async def simulator():
    simulator = await SimProcess.start(TRACE, "--loop", "--count", "2")
    yield simulator
    await simulator.end()


async def start(*arguments):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from rolltrack.cli.main import run; run()", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def finish(process):
    async with asyncio.timeout(TIMEOUT_S):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def rolltrack(*arguments):
    return await finish(await start(*arguments))


async def test_scan_lists_rollers_with_their_serial_numbers(simulator):
    code, out, _ = await rolltrack("scan", "--ble", simulator.where, "--seconds", "1", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["v"] == 1
    rollers = sorted((each["name"], each["address"], each["serial"]) for each in found["rollers"])
    assert rollers == [
        ("Roller-1", "F0:5E:00:00:00:01", "rt-sim-1"),
        ("Roller-2", "F0:5E:00:00:00:02", "rt-sim-2"),
    ]
    assert all(each["signal_dbm"] < 0 for each in found["rollers"])


async def test_scan_without_a_simulator_says_so(unused_tcp_port):
    code, out, err = await rolltrack("scan", "--ble", f"tcp:127.0.0.1:{unused_tcp_port}")
    assert (code, out) == (4, "")
    assert len(err.splitlines()) == 1
    assert "rolltrack-sim replay" in err


async def test_record_writes_a_trace_of_the_asked_length_from_the_asked_roller(simulator, tmp_path):
    out_path = tmp_path / "roll.csv.gz"
    code, out, _ = await rolltrack(
        "record", str(out_path), "--ble", simulator.where, "--seconds", "2",
        "--sensor", "RT-SIM-2", "--json",
    )  # fmt: skip
    assert code == 0
    said = json.loads(out)
    assert (said["sensor"], said["seconds"], said["gaps"]) == ("rt-sim-2", 2.0, 0)
    trace = read_trace(out_path)
    assert said["samples"] == len(trace.samples) == 201
    assert trace.meta.radius_m == pytest.approx(0.075)
    assert trace.meta.started_at_unix_s is not None
    assert np.diff(trace.samples.t_s) == pytest.approx(0.01, abs=2e-6)
    assert stat.S_IMODE(out_path.stat().st_mode) == 0o600


async def test_record_ends_cleanly_on_interrupt(simulator, tmp_path):
    out_path = tmp_path / "roll.csv"
    process = await start("record", str(out_path), "--ble", simulator.where)
    async with asyncio.timeout(TIMEOUT_S):
        while not out_path.exists() or out_path.stat().st_size < 5000:  # noqa: ASYNC110  # a file has no event
            await asyncio.sleep(0.05)
    process.send_signal(signal.SIGINT)
    code, out, _ = await finish(process)
    assert code == 0
    assert len(read_trace(out_path).samples) >= 20
    assert "100.0 Hz" in out


async def test_record_never_writes_over_a_file(simulator, tmp_path):
    out_path = tmp_path / "roll.csv"
    out_path.write_text("precious")
    code, _, err = await rolltrack("record", str(out_path), "--ble", simulator.where)
    assert code == 2
    assert "exists already" in err
    assert out_path.read_text() == "precious"
