"""Opens an archive whose server may not be up yet, as after a power cut."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from rolltrack.archive.store import ArchiveStore
from rolltrack.errors import StoreAwayError

if TYPE_CHECKING:
    from rolltrack.store.location import Location

_log = logging.getLogger(__name__)

RETRY_S = 5.0


async def open_patiently(
    location: Location, stop: asyncio.Event, *, retry_s: float = RETRY_S
) -> ArchiveStore | None:
    """Try until the database is there; None when told to stop before.

    Raises:
        StoreError: waiting would not help; says why and what to do.
    """
    said = ""
    while not stop.is_set():
        try:
            return await asyncio.to_thread(ArchiveStore, location)
        except StoreAwayError as error:
            if str(error) != said:
                said = str(error)
                _log.error("%s Trying again every %g s.", said, retry_s)  # the line says it all
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(retry_s):
                await stop.wait()
    return None
