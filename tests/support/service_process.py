"""`rolltrack run` in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TIMEOUT_S = 60.0


@contextlib.asynccontextmanager
async def rolltrack_run(folder: Path, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it in `folder`; what still runs at the end of the block is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rolltrack", "run", *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def until_line(stream: asyncio.StreamReader, text: bytes) -> bytes:
    """Read on until a line holds `text`; that line."""
    async with asyncio.timeout(TIMEOUT_S):
        while text not in (line := await stream.readline()):
            assert line, "the process has ended"
    return line


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    """Exit code, and what it said on stdout and stderr that was not read before."""
    async with asyncio.timeout(TIMEOUT_S):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()
