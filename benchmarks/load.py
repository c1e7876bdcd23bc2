"""What `rolltrack run` costs with 1, 10 and 50 virtual rollers at 100 Hz, beside bleak alone.

Simulator, broker and service are processes of their own on loopback; the accelerometer-only session
is played in a loop, so every roller is being rolled. The alternative in the same run is a process
that only connects with bleak over the same virtual link, subscribes and throws every packet away.

python benchmarks/load.py [--json] [--seconds 20] [ROLLERS ...]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
import psutil
from bleak import BleakClient, BleakScanner
from paho.mqtt.enums import CallbackAPIVersion

from rolltrack import sample_trace
from rolltrack.broker import embedded_broker
from rolltrack.sensors.decoders.roller_v1 import (
    CONFIG_UUID,
    MOTION_UUID,
    SERVICE_UUID,
    StreamConfig,
    encode_config,
)
from rolltrack.sources.bumble_backend import backend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bleak.backends.device import BLEDevice

BIN = Path(sys.executable).parent
PATIENCE_S = 60.0
LEAVE_S = 60.0
"""Ending many sessions on a busy machine takes its time."""


@contextmanager
def process(*command: str, first_line: bool = False) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A child that is ended when the block is left; its first line of output if wanted."""
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ)
    )
    try:
        assert child.stdout is not None
        yield child, child.stdout.readline().strip() if first_line else ""
    finally:
        child.terminate()
        try:
            child.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            raise


def usage(pid: int, seconds: float) -> tuple[float, float]:
    """Share of one core, and resident megabytes at the end."""
    child = psutil.Process(pid)
    before, started = child.cpu_times(), time.perf_counter()
    time.sleep(seconds)  # the measuring interval itself
    after, took_s = child.cpu_times(), time.perf_counter() - started
    busy_s = after.user + after.system - before.user - before.system
    return busy_s / took_s, child.memory_info().rss / 1e6


def wait_for_rollers(host: str, port: int, count: int) -> None:
    """Until `count` rollers are online, by their availability topics."""
    online: set[str] = set()
    all_there = threading.Event()

    def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.payload == b"online":
            online.add(message.topic)
        if len(online) >= count:
            all_there.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = on_message
    client.connect(host, port)
    client.subscribe("rolltrack/v1/+/a/+/+/availability", 1)
    client.loop_start()
    try:
        if not all_there.wait(PATIENCE_S):
            sys.exit(f"only {len(online)} of {count} rollers came online in {PATIENCE_S:.0f} s")
    finally:
        client.loop_stop()
        client.disconnect()


async def service(link: str, count: int, seconds: float) -> tuple[float, float]:
    """CPU share and memory of `rolltrack run`."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_broker() as broker:
            run = [str(BIN / "rolltrack"), "run", "--ble", link, "--no-view"]
            run += ["--mqtt", f"{broker.host}:{broker.port}", "--store", f"{folder}/sessions.db"]
            with process(*run) as (child, _):
                await asyncio.to_thread(wait_for_rollers, broker.host, broker.port, count)
                return await asyncio.to_thread(usage, child.pid, seconds)


async def bleak_alone(link: str, count: int, seconds: float) -> None:
    """The alternative: connect, subscribe, throw away. Prints when it is ready, then streams."""
    air = backend(link)
    found: dict[str, BLEDevice] = {}
    async with BleakScanner(service_uuids=[SERVICE_UUID], backend=air.scanner) as scan:
        async for device, _ in scan.advertisement_data():
            found[device.address] = device
            if len(found) >= count:
                break
    clients = [BleakClient(device, backend=air.client) for device in found.values()]
    for client in clients:
        await client.connect()
        await client.write_gatt_char(
            CONFIG_UUID, encode_config(StreamConfig(100, 8, 1000, 10, run=True)), True
        )
        await client.start_notify(MOTION_UUID, lambda _char, _data: None)
    print("ready", flush=True)
    await asyncio.sleep(seconds)


async def alternative(link: str, count: int, seconds: float) -> tuple[float, float]:
    """CPU share and memory of a process that runs `bleak_alone`."""
    command = [
        sys.executable,
        __file__,
        "--bleak-alone",
        link,
        str(count),
        str(seconds + PATIENCE_S),
    ]
    with process(*command, first_line=True) as (child, _):
        return await asyncio.to_thread(usage, child.pid, seconds)


async def measure(count: int, seconds: float) -> dict[str, float]:
    """Both, one after the other, each on a fresh simulator."""
    shares = []
    for what in (service, alternative):
        sim = [str(BIN / "rolltrack-sim"), "replay", str(sample_trace("back")), "--loop"]
        sim += ["--ble", "tcp:127.0.0.1:0", "--count", str(count)]
        with process(*sim, first_line=True) as (_, ready):
            shares.append(await what(ready.removeprefix("ready "), count, seconds))
    (ours, ours_mb), (bare, bare_mb) = shares
    return {
        "rollers": count,
        "run_core_share": ours,
        "run_core_share_per_roller": ours / count,
        "run_rss_mb": ours_mb,
        "bleak_alone_core_share": bare,
        "bleak_alone_rss_mb": bare_mb,
        "run_over_bleak_alone_cpu": ours / max(bare, 1e-6),
    }


def main() -> None:
    """Print a row for each number of rollers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rollers", nargs="*", type=int, default=[1, 10, 50])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = [asyncio.run(measure(count, arguments.seconds)) for count in arguments.rollers]
    if arguments.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print("  ".join(f"{name} {value:.4g}" for name, value in row.items()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bleak-alone"]:
        asyncio.run(bleak_alone(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
    else:
        main()
