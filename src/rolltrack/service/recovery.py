"""Finishes the sessions that a killed service left behind."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from rolltrack.core.events import LimitSet, SessionEnded
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker
from rolltrack.errors import InputError, UsageError
from rolltrack.store.journal import left_journals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rolltrack.core.events import SessionSummary
    from rolltrack.store import SessionStore
    from rolltrack.store.journal import JournalHead, LeftJournal

log = logging.getLogger("rolltrack.service")


def recover(folder: Path, store: SessionStore) -> Iterator[SessionSummary]:
    """Store what was left in progress, with the end "recovered"; yields what is safe then.

    A session in which nothing had been rolled yet is dropped, as it would have been. A journal is
    removed only when its session is in the store.

    Raises:
        StoreError: the store cannot be written, or a journal not be read; the rest stays.
    """
    for journal in left_journals(folder):
        try:
            if journal.head is None:
                log.warning("%s holds no session that could be recovered.", journal.path)
                journal.remove()
                continue
            try:
                ended = _finished(journal, journal.head)
            except Exception:  # one that breaks the tracker must not keep the service from starting
                log.exception("%s could not be recovered; it stays.", journal.path)
                continue
            if ended is not None:
                store.add(ended.summary, ended.strokes)
            journal.remove()
            if ended is not None:
                yield ended.summary
        finally:
            journal.close()


def _finished(journal: LeftJournal, head: JournalHead) -> SessionEnded | None:
    """What a tracker makes of the journalled readings; None when nothing was rolled."""
    tracker = Tracker(
        Setup(
            roller=head.roller,
            athlete=head.athlete,
            protocol=head.protocol,
            radius_m=head.radius_m,
            shape=head.shape,
            region=head.region,
            epoch_unix_s=head.epoch_unix_s,
            id_salt=head.id_salt,
            axle=head.axle,
            idle_s=None,
            live=False,
        )
    )
    tracker.start(head.started_s)
    for item in journal.items():
        try:
            if isinstance(item, LimitSet):
                tracker.set_limit(item.limit_mps)
            else:
                tracker.feed(item)
        except (InputError, UsageError) as fault:
            log.warning("%s: %s", journal.path, fault)
    for event in tracker.finish("recovered"):
        if isinstance(event, SessionEnded) and event.strokes:
            return replace(event, summary=replace(event.summary, session_id=head.session_id))
    return None
