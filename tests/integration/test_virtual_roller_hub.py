"""The simulator's TCP hub, in this process and as a program. The central is plain bumble."""

import asyncio
import struct
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from support.central import (
    PATIENCE_S,
    ROLLER,
    SERIAL_NUMBER,
    central_at,
    counting_trace,
    roller_on,
)

from firmware_sim.errors import SimError, UsageError
from firmware_sim.hub import Hub
from firmware_sim.link import SimLink
from firmware_sim.profile import INFO, Identity
from firmware_sim.trace import write_trace
from rolltrack.core.sample import ImuSamples
from rolltrack.traces.trace import Trace as ProductTrace
from rolltrack.traces.trace import TraceMeta
from rolltrack.traces.writer import write_trace as write_product_trace


async def test_each_client_of_the_hub_has_its_own_radio():
    link = SimLink()
    other = Identity("Roller-8", "F0:5E:00:00:00:08", "rt-test-8")
    async with (
        Hub(link) as hub,
        roller_on(link),
        roller_on(link, identity=other),
        central_at(hub.port, "E0:00:00:00:00:01") as one,
        central_at(hub.port, "E0:00:00:00:00:02") as two,
    ):
        await one.connect(ROLLER.address)
        await two.connect(other.address)
        assert await one.read(SERIAL_NUMBER) == b"rt-test-7"
        assert await two.read(SERIAL_NUMBER) == b"rt-test-8"
        await asyncio.gather(one.subscribe(), two.subscribe())
        for motion in (one.motion, two.motion):
            await motion.until(lambda motion=motion: len(motion.counts) >= 100)
            assert motion.counts[:100] == list(range(100))


async def test_a_client_that_leaves_the_hub_frees_the_roller():
    link = SimLink()
    async with Hub(link) as hub, roller_on(link):
        async with central_at(hub.port, "E0:00:00:00:00:01") as first:
            await first.connect()
        async with central_at(hub.port, "E0:00:00:00:00:02") as second:
            await second.connect()
            assert await second.read(SERIAL_NUMBER) == b"rt-test-7"


async def test_nonsense_from_one_client_of_the_hub_leaves_the_others_alone():
    link = SimLink()
    async with Hub(link) as hub, roller_on(link), central_at(hub.port) as central:
        await central.connect()
        _, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(bytes(range(256)) * 4)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert await central.read(SERIAL_NUMBER) == b"rt-test-7"


async def test_the_hub_opens_only_on_loopback():
    with pytest.raises(UsageError, match="loopback"):
        Hub(SimLink(), "0.0.0.0")


async def test_a_taken_port_is_named():
    async with Hub(SimLink()) as hub:
        with pytest.raises(SimError, match=f"127.0.0.1:{hub.port}"):
            async with Hub(SimLink(), port=hub.port):
                pass


@asynccontextmanager
async def replaying(trace, *options):
    """`rolltrack-sim replay` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("rolltrack-sim"),
        *("replay", str(trace), "--ble", "tcp:127.0.0.1:0", "--speed", "20", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode()
        assert line.startswith("ready tcp:127.0.0.1:"), await process.stderr.read()
        yield process, int(line.rpartition(":")[2])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.process
async def test_replay_once_sends_all_says_goodbye_and_exits(tmp_path):
    write_trace(tmp_path / "counting.csv", counting_trace(205))
    async with (
        replaying(tmp_path / "counting.csv", "--once", "--radius-mm", "60") as (process, port),
        central_at(port) as central,
    ):
        await central.connect("F0:5E:00:00:00:01")
        assert struct.unpack_from("<BIffBH", await central.read(INFO))[5] == 600
        motion = await central.subscribe()
        await motion.until(lambda: len(motion.counts) >= 205)
        await asyncio.wait_for(central.gone, PATIENCE_S)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        assert motion.counts == list(range(205))
        assert motion.seqs == list(range(21))
        assert await process.stderr.read() == b""


@pytest.mark.process
async def test_a_trace_the_product_wrote_is_replayed_with_its_axle(tmp_path):
    samples = ImuSamples(np.arange(50) / 100, np.tile([9.8, 0.0, 0.0], (50, 1)))
    for name, axle in {"z.csv": (0.0, 0.0, -1.0), "between.csv": (0.6, 0.8, 0.0)}.items():
        write_product_trace(tmp_path / name, ProductTrace(name, TraceMeta(axle=axle), samples))
    for name, code in {"z.csv": 6, "between.csv": 0}.items():
        async with replaying(tmp_path / name) as (_, port), central_at(port) as central:
            await central.connect("F0:5E:00:00:00:01")
            assert struct.unpack_from("<BIffB", await central.read(INFO))[4] == code


@pytest.mark.process
async def test_a_scenario_is_replayed_over_its_air_and_each_roller_loses_packets_of_its_own(
    tmp_path,
):
    scenario = tmp_path / "mine.toml"
    scenario.write_text('base = "calf"\n[air]\nclock_us = 4294967000\nloss = 0.9\n')

    async def lost(*options):
        found = []
        async with replaying(scenario, "--loss", "0.2", "--count", "2", *options) as (_, port):
            for n in (1, 2):
                async with central_at(port) as central:
                    await central.connect(f"F0:5E:00:00:00:0{n}")
                    motion = await central.subscribe()
                    await motion.until(lambda motion=motion: len(motion.seqs) > 60)
                    assert struct.unpack_from("<BIffBHI", await central.read(INFO))[6] < 2**31
                    found.append(set(range(60)) - set(motion.seqs))
        return found

    first, second = await lost("--seed", "3")
    assert 3 < len(first) < 25
    assert first != second
    assert await lost("--seed", "3") == [first, second]
    assert await lost("--seed", "4") != [first, second]


@pytest.mark.process
async def test_sigterm_ends_a_replay_cleanly(tmp_path):
    write_trace(tmp_path / "counting.csv", counting_trace())
    async with (
        replaying(tmp_path / "counting.csv", "--count", "2") as (process, port),
        central_at(port) as central,
    ):
        await central.connect("F0:5E:00:00:00:02")
        assert await central.read(SERIAL_NUMBER) == b"rt-sim-2"
        process.terminate()
        await asyncio.wait_for(central.gone, PATIENCE_S)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        assert await process.stderr.read() == b""
