"""Real brokers for tests: both embedded kinds, and mosquitto with a login."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket

import pytest

from rolltrack.broker import mosquitto
from rolltrack.broker.process import BrokerProcess

HOST = "127.0.0.1"
BOTH = ["mosquitto", "amqtt"]


def skip_without(kind: str) -> None:
    """In CI nothing is skipped: a missing mosquitto then fails the test by itself."""
    if kind == "mosquitto" and not mosquitto.find() and not os.environ.get("CI"):
        pytest.skip("mosquitto is not installed; CI has it")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


async def kill_hard(process: BrokerProcess) -> None:
    """SIGKILL to the broker and its guard; return when both are gone."""
    os.killpg(process.pid, signal.SIGKILL)
    await process.ended()


@contextlib.asynccontextmanager
async def stock_mosquitto(folder, *lines: str):
    """Run a mosquitto of the user's own, which nobody starts again when it is killed.

    Args:
        folder: gets its configuration and log.
        lines: of the configuration; without any, everybody may enter.
    """
    port = free_port()
    told = [f"listener {port} {HOST}", *(lines or ("allow_anonymous true",))]
    if os.getuid() == 0:
        told.append("user root")  # else it could not read the files in our private folder
    configuration = folder / "mosquitto.conf"
    configuration.write_text("\n".join(told) + "\n")
    command = [mosquitto.find() or "mosquitto", "-c", str(configuration)]
    process = BrokerProcess(command, HOST, port, log=folder / "mosquitto.log")
    await process.start()
    try:
        yield port, process
    finally:
        await asyncio.shield(process.stop())


@contextlib.asynccontextmanager
async def mosquitto_with_login(folder, username: str, password: str):
    """Yield the port of a mosquitto that wants a password."""
    passwords = folder / "passwords"
    make = await asyncio.create_subprocess_exec(
        "mosquitto_passwd", "-b", "-c", str(passwords), username, password
    )
    assert await make.wait() == 0
    lines = ("allow_anonymous false", f"password_file {passwords}")
    async with stock_mosquitto(folder, *lines) as (port, _):
        yield port
