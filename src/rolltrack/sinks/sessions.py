"""Finished sessions -> the session store."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from rolltrack.core.events import SessionEnded
from rolltrack.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolltrack.sinks.sink import Outgoing, Roller
    from rolltrack.store import SessionStore

_log = logging.getLogger(__name__)

RETRY_S = 30.0


class SessionSink:
    """Stores each session when it ends; the strokes stored are the final ones.

    What cannot be stored (a full disk) stays in memory and is tried again with the next session,
    every `retry_s`, and at the end.

    Args:
        store: where to; closed with the sink.
        retry_s: pause between two tries.
        stored: told the id of every session once it is safe.
        room: told whether there is room for more.
    """

    name = "sessions"
    wants_samples = False

    def __init__(
        self,
        store: SessionStore,
        *,
        retry_s: float = RETRY_S,
        stored: Callable[[str], None] = lambda _: None,
        room: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._retry_s = retry_s
        self._stored = stored
        self._room = room
        self._unsaved: list[SessionEnded] = []
        self._complaint = ""
        self._saving = asyncio.Lock()
        self._retry: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Nothing to do: the store is open."""

    async def handle(self, _roller: Roller, outgoing: Outgoing) -> None:
        """Store a finished session; other events are not ours."""
        if isinstance(outgoing, SessionEnded):
            self._unsaved.append(outgoing)
            await self._save()
            if self._unsaved and self._retry is None:
                self._retry = asyncio.create_task(self._keep_trying(), name="session-store-retry")

    async def close(self) -> None:
        """Try a last time, then close the store."""
        if self._retry:
            self._retry.cancel()
            await asyncio.gather(self._retry, return_exceptions=True)
        await self._save()
        for event in self._unsaved:
            _log.error("Session %s could not be stored.", event.summary.session_id)
        await asyncio.to_thread(self._store.close)

    async def _keep_trying(self) -> None:
        while self._unsaved:
            await asyncio.sleep(self._retry_s)
            await self._save()
        self._retry = None

    async def _save(self) -> None:
        async with self._saving:
            for event in tuple(self._unsaved):
                try:
                    await asyncio.to_thread(self._store.add, event.summary, event.strokes)
                except StoreError as error:
                    self._complain(str(error))
                except Exception as fault:  # noqa: BLE001  # the other sessions are stored all the same
                    name = event.summary.session_id
                    self._complain(f"Session {name} cannot be written: {fault!r}.")
                else:
                    self._unsaved.remove(event)
                    self._stored(event.summary.session_id)
        self._room(not self._unsaved)
        if self._complaint and not self._unsaved:
            self._complaint = ""
            _log.info("The session store works again; all finished sessions are in it.")

    def _complain(self, complaint: str) -> None:
        """Say it once, not at every try."""
        if complaint != self._complaint:
            self._complaint = complaint
            _log.error(
                "%s Finished sessions are kept in memory and tried again every %g s.",
                complaint,
                self._retry_s,
            )
