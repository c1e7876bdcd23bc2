"""Finished sessions and their strokes, kept in one SQLite file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, func, select
from sqlalchemy.dialects.sqlite import insert

from rolltrack.core.coaching.verdict import Verdict
from rolltrack.core.events import JudgedStroke, SessionSummary
from rolltrack.core.strokes.stroke import Stroke
from rolltrack.errors import UsageError
from rolltrack.store import schema
from rolltrack.store.database import explained, open_database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import RowMapping, Select

LAST = "last"


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it was stored."""

    summary: SessionSummary
    strokes: tuple[JudgedStroke, ...]


class SessionStore:
    """The sessions of this machine. Calls block; they may come from any thread.

    Raises (every call):
        StoreError: the file cannot be read or written; says why and what to do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()
        self._engine = open_database(self.path)

    def add(self, summary: SessionSummary, strokes: Sequence[JudgedStroke]) -> bool:
        """Store once: False, and nothing changed, if this id and revision are there already."""
        with explained(self.path), self._engine.begin() as connection:
            new = insert(schema.sessions).values(**asdict(summary)).on_conflict_do_nothing()
            if connection.execute(new).rowcount == 0:
                return False
            if strokes:
                rows = [_stroke_row(summary, judged) for judged in strokes]
                connection.execute(insert(schema.strokes), rows)
        return True

    def newest(self, limit: int = 20, *, athlete: str | None = None) -> list[SessionSummary]:
        """Return the last sessions, newest first, each in its latest revision."""
        query = _latest_revisions().order_by(schema.sessions.c.started_unix_s.desc()).limit(limit)
        if athlete is not None:
            query = query.where(schema.sessions.c.athlete == athlete)
        with explained(self.path), self._engine.connect() as connection:
            return [_summary(row) for row in connection.execute(query).mappings()]

    def get(self, session_id: str) -> StoredSession:
        """Return the session whose id starts like this, or the newest one for "last".

        Raises:
            UsageError: there is none, or more than one.
        """
        summary = self._find(session_id)
        strokes = schema.strokes
        query = (
            select(strokes)
            .where(strokes.c.session_id == summary.session_id)
            .where(strokes.c.revision == summary.revision)
            .order_by(strokes.c.n)
        )
        with explained(self.path), self._engine.connect() as connection:
            rows = connection.execute(query).mappings()
            return StoredSession(summary, tuple(_judged(row) for row in rows))

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _find(self, session_id: str) -> SessionSummary:
        if session_id == LAST:
            found = self.newest(1)
        else:
            like = schema.sessions.c.session_id.startswith(session_id, autoescape=True)
            with explained(self.path), self._engine.connect() as connection:
                rows = connection.execute(_latest_revisions().where(like).limit(2)).mappings()
                found = [_summary(row) for row in rows]
        if len(found) == 1:
            return found[0]
        what = "More than one" if found else "No"
        raise UsageError(
            f'{what} session in {self.path} has an id that starts with "{session_id}".',
            hint="See `rolltrack sessions list`.",
        )


def _latest_revisions() -> Select[Any]:
    sessions = schema.sessions
    latest = (
        select(sessions.c.session_id, func.max(sessions.c.revision).label("revision"))
        .group_by(sessions.c.session_id)
        .subquery()
    )
    same = and_(
        sessions.c.session_id == latest.c.session_id, sessions.c.revision == latest.c.revision
    )
    return select(sessions).join(latest, same)


def _summary(row: RowMapping) -> SessionSummary:
    return SessionSummary(**{str(name): value for name, value in row.items()})


def _stroke_row(summary: SessionSummary, judged: JudgedStroke) -> dict[str, Any]:
    verdicts = msgspec.json.encode(judged.verdicts).decode()
    ids = {"session_id": summary.session_id, "revision": summary.revision}
    return ids | asdict(judged.stroke) | {"verdicts": verdicts}


def _judged(row: RowMapping) -> JudgedStroke:
    columns = {str(name): value for name, value in row.items()}
    verdicts = msgspec.json.decode(columns.pop("verdicts"), type=tuple[Verdict, ...])
    del columns["session_id"], columns["revision"]
    return JudgedStroke(Stroke(**columns), verdicts)
