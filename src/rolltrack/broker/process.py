"""A broker in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import TYPE_CHECKING

from rolltrack.errors import BrokerError

if TYPE_CHECKING:
    from pathlib import Path

START_S = 15.0
STOP_S = 3.0
PROBE_S = 0.02


class BrokerProcess:
    """One command that listens on one port, started again at will.

    It gets a pipe as standard input and has to end when that closes, so that it does not outlive
    us. It leads a process group of its own: Ctrl-C must not end it before our last message.
    """

    def __init__(self, command: list[str], host: str, port: int, *, log: Path) -> None:
        self._command = command
        self._host = host
        self._port = port
        self._log = log
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id and process group id, None before the first start."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start, and return when it takes connections.

        Raises:
            BrokerError: it ended, or did not listen in time; says what it complained about.
        """
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=DEVNULL, stderr=log, start_new_session=True
            )
        try:
            async with asyncio.timeout(START_S):
                await self._listening(self._process)
        except TimeoutError as error:
            await self.stop()
            raise self._failure("did not listen in time") from error

    async def ended(self) -> None:
        """Return when the process has ended by itself."""
        if self._process:
            await self._process.wait()

    async def stop(self) -> None:
        """End it, by force if it does not listen to reason."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def _listening(self, process: Process) -> None:
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                await asyncio.sleep(PROBE_S)
                continue
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return
        raise self._failure("ended at once")

    def _failure(self, what: str) -> BrokerError:
        complaint = self._log.read_text(encoding="utf-8", errors="replace").strip()
        last_line = complaint.rsplit("\n", 1)[-1]
        return BrokerError(
            f"The MQTT broker for {self._host}:{self._port} {what}: {last_line or 'no reason'}.",
            hint="Set mqtt.broker to a broker you have, or see what else uses the port.",
        )
