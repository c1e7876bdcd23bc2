"""Keeps a journal of every session in progress, a second at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rolltrack.core.events import LimitSet, SessionDiscarded, SessionEnded, SessionStarted
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.store.journal import JournalHead, JournalWriter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rolltrack.core.setup import Setup
    from rolltrack.service.room import Room
    from rolltrack.sinks.sink import Outgoing
    from rolltrack.store.journal import JournalItem

log = logging.getLogger("rolltrack.service")

PERIOD_S = 1.0
SYNC_EVERY = 5
"""So many periods pass before the files are brought to the disk itself."""
PRE_ROLL_S = 3.0
"""Readings before a session's beginning that belong to it."""
PROBE_BYTES = 1 << 19
MOST_UNWRITTEN = 3000
"""Blocks of readings that wait for a full disk; older ones are then left out."""


@dataclass(slots=True)
class _Session:
    head: JournalHead
    unwritten: list[JournalItem] = field(default_factory=list)
    writer: JournalWriter | None = None


@dataclass(slots=True)
class _Roller:
    recent: list[JournalItem] = field(default_factory=list)
    session: _Session | None = None


class Journalist:
    """Follows every roller; what it writes outlives the service if that is killed.

    A killed service loses at most the last second; a power cut, the last five. A journal is removed
    when its session is in the store.

    Args:
        folder: where the journals are.
        room: told whether they can be written.
    """

    def __init__(self, folder: Path, room: Room) -> None:
        self._folder = folder
        self._room = room
        self._rollers: dict[str, _Roller] = {}
        self._sessions: dict[str, _Session] = {}
        self._writing = asyncio.Lock()
        self._complaint = ""

    def note(self, setup: Setup, item: object, outgoing: Iterable[Outgoing]) -> None:
        """Take what came from a roller, and what followed; never waits."""
        roller = self._rollers.setdefault(setup.roller, _Roller())
        if isinstance(item, ImuSamples | SignalGap):
            line = roller.recent if roller.session is None else roller.session.unwritten
            line.append(item)
            del line[:-MOST_UNWRITTEN]
        for event in outgoing:
            if isinstance(event, SessionStarted):
                roller.session = _Session(_head(setup, event), roller.recent)
                self._sessions[event.session_id] = roller.session
                roller.recent = []
            elif isinstance(event, LimitSet) and roller.session is not None:
                roller.session.unwritten.append(event)
            elif isinstance(event, SessionEnded | SessionDiscarded):
                roller.session = None
                if isinstance(event, SessionDiscarded):
                    self.stored(event.session_id)
        if roller.session is None:
            _forget_old(roller.recent)

    def stored(self, session_id: str) -> None:
        """The session is safe, or was nothing; its journal has done its duty."""
        session = self._sessions.pop(session_id, None)
        if session is not None and session.writer is not None:
            with contextlib.suppress(OSError):
                session.writer.remove()

    async def run(self) -> None:
        """Write what is new, every second, until cancelled."""
        for n in range(1, 1 << 62):
            await asyncio.sleep(PERIOD_S)
            await self.write(sync=n % SYNC_EVERY == 0)

    async def write(self, *, sync: bool) -> None:
        """Write what is new."""
        async with self._writing:
            todo = [
                s for s in self._sessions.values() if s.unwritten
            ]  # ended ones are not stored yet
            taken = [(session, session.unwritten) for session in todo]
            for session in todo:
                session.unwritten = []
            try:
                await asyncio.to_thread(self._write, taken, sync)
            except OSError as error:
                for session, items in taken:  # those that were not written
                    session.unwritten[:0] = items
                self._room.report("journal", room=False)
                self._complain(f"{self._folder}: journals cannot be written: {error.strerror}.")
            else:
                self._complaint = ""
                self._room.report("journal", room=True)
            for session in todo:  # stored meanwhile, while its file was being made
                if session.head.session_id not in self._sessions and session.writer is not None:
                    session.writer.remove()

    def _write(self, taken: list[tuple[_Session, list[JournalItem]]], sync: bool) -> None:
        if self._complaint:
            self._probe()
        while taken:
            session, items = taken[0]
            if session.writer is None:
                session.writer = JournalWriter(self._folder, session.head)
            session.writer.append(items)
            del taken[0]
            if sync:
                session.writer.sync()

    def _probe(self) -> None:
        """There was no room; find out whether there is for at least a minute of readings."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())

    def close(self) -> None:
        """Let go; journals of sessions that are not stored stay for the next start."""
        for session in self._sessions.values():
            if session.writer is not None:
                session.writer.close()

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            log.error("%s Free some space, or set store.path to another disk.", complaint)


def _head(setup: Setup, started: SessionStarted) -> JournalHead:
    return JournalHead(
        session_id=started.session_id,
        started_s=started.t_s,
        roller=setup.roller,
        athlete=setup.athlete,
        protocol=setup.protocol,
        radius_m=setup.radius_m,
        shape=setup.shape,
        region=setup.region,
        epoch_unix_s=setup.epoch_unix_s,
        id_salt=setup.id_salt,
        axle=setup.axle,
    )


def _forget_old(recent: list[JournalItem]) -> None:
    """Keep what a session that begins now would reach back to."""
    blocks = [item for item in recent if isinstance(item, ImuSamples) and len(item)]
    if not blocks:
        return
    oldest_s = float(blocks[-1].t_s[-1]) - PRE_ROLL_S
    while recent and _end_s(recent[0]) < oldest_s:
        del recent[0]


def _end_s(item: JournalItem) -> float:
    if isinstance(item, LimitSet):
        return item.t_s
    return item.end_s if isinstance(item, SignalGap) else float(item.t_s[-1])
