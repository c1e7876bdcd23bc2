"""What became of every session, from the files that the service and the archive leave behind.

There are three witnesses: what a sink was told while the service lived (`announced.txt`), the
service's store with its outbox, and the archive. A session can go missing between the first two
(never stored: its readings were neither stored nor recovered) or between the last two (lost).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SERVICE_DB = "service.db"
ARCHIVE_DB = "archive.db"
ANNOUNCED = "announced.txt"
SESSIONS = 'SELECT session_id, "end", strokes, samples FROM sessions'


@dataclass(frozen=True)
class Truth:
    """Where sessions are that should be in the archive; names of sessions.

    Attributes:
        sessions: how many the service has stored.
        recovered: how many of them had been cut off by a kill.
        never_stored: somebody heard of them, the service's store did not.
        shortened: stored with fewer strokes than somebody had heard of.
        undelivered: not in the archive, but still in the outbox: late.
        lost: not in the archive, and no longer in the outbox.
        changed: in the archive with other readings, strokes, or another end.
    """

    sessions: int = 0
    recovered: int = 0
    never_stored: tuple[str, ...] = ()
    shortened: tuple[str, ...] = ()
    undelivered: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything is where it should be."""
        faults = (self.never_stored, self.shortened, self.undelivered, self.lost, self.changed)
        return not any(faults)


def find_truth(folder: Path, kills_unix_s: Sequence[float], safe_after_s: float) -> Truth:
    """Compare the witnesses, once nothing writes any more.

    Args:
        folder: with the three files.
        kills_unix_s: when the service was killed.
        safe_after_s: what it told less than that before a kill need not be stored.
    """
    stored = {str(row[0]): row[1:] for row in rows(folder / SERVICE_DB, SESSIONS)}
    archived = {str(row[0]): row[1:] for row in rows(folder / ARCHIVE_DB, SESSIONS)}
    waiting = {str(name) for (name,) in rows(folder / SERVICE_DB, "SELECT session_id FROM outbox")}
    strokes = announced(folder / ANNOUNCED, kills_unix_s, safe_after_s)
    missing = stored.keys() - archived.keys()
    return Truth(
        sessions=len(stored),
        recovered=sum(end == "recovered" for end, *_ in stored.values()),
        never_stored=_named(strokes.keys() - stored.keys()),
        shortened=_named(n for n in strokes.keys() & stored.keys() if stored[n][1] < strokes[n]),
        undelivered=_named(missing & waiting),
        lost=_named(missing - waiting),
        changed=_named(n for n in stored.keys() & archived.keys() if stored[n] != archived[n]),
    )


def announced(path: Path, kills_unix_s: Sequence[float], safe_after_s: float) -> Counter[str]:
    """Sessions that somebody had heard of long enough before a kill to be safe -> their strokes."""
    told: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        what, name, told_at = line.split()
        next_kill = min((at for at in kills_unix_s if at > float(told_at)), default=float("inf"))
        if next_kill - float(told_at) > safe_after_s:
            told[name] += what == "stroke"
    return told


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """What a database answers."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def _named(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
