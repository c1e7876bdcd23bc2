"""The simulator's TCP hub, in this process and as a program. The central is plain bumble."""

import asyncio
import struct
import sys
from contextlib import asynccontextmanager
from pathlib import Path

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
