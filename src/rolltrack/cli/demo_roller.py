"""The demo's roller: the simulator in a process of its own, reached over virtual Bluetooth."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rolltrack.errors import RolltrackError, UsageError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

START_S = 30.0
STOP_S = 5.0


@contextlib.asynccontextmanager
async def virtual_roller(trace: Path, speed: float) -> AsyncIterator[str]:
    """Run a roller that replays `trace` and then lies still; yields its Bluetooth link.

    Raises:
        UsageError: the simulator is not installed.
        RolltrackError: it did not start.
    """
    replay = ("replay", str(trace), "--ble", "tcp:127.0.0.1:0", "--speed", str(speed))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rolltrack.broker.guard", _simulator(), *replay),
        stdin=PIPE,  # the guard ends with it, and so with us
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,  # Ctrl-C is for us: the session is finished before the roller goes
    )
    try:
        yield await _link_of(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.communicate()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()


def _simulator() -> str:
    beside = Path(sys.executable).with_name("rolltrack-sim")
    program = str(beside) if beside.exists() else shutil.which("rolltrack-sim")
    if program is None or not find_spec("bumble"):
        raise UsageError(
            "the demo needs the simulator, which is not installed.",
            hint="Run: pip install 'rolltrack[sim]'",
        )
    return program


async def _link_of(process: Process) -> str:
    """Wait for the line "ready tcp:HOST:PORT"."""
    if process.stdout is None or process.stderr is None:
        raise AssertionError("pipes were asked for")
    line = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
    word, _, link = line.decode().strip().partition(" ")
    if word == "ready":
        return link
    if line or process.returncode is None:
        raise RolltrackError(f"the simulator did not start within {START_S:.0f} s.")
    complaint = (await process.stderr.read()).decode().strip()
    raise RolltrackError(f"the simulator did not start: {complaint or 'no reason given.'}")
