"""Finished sessions and their strokes, kept in one SQLite file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, delete, func, insert, select

from rolltrack.core.coaching.verdict import Verdict
from rolltrack.core.events import JudgedStroke, SessionSummary
from rolltrack.core.strokes.stroke import Stroke
from rolltrack.errors import UsageError
from rolltrack.store import schema
from rolltrack.store.database import explained, insert_once, open_database
from rolltrack.store.location import file_location
from rolltrack.store.queries import latest_revisions, to_summary

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from sqlalchemy import RowMapping

LAST = "last"


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it was stored."""

    summary: SessionSummary
    strokes: tuple[JudgedStroke, ...]


class SessionStore:
    """The sessions of this machine, and which of them are still to be delivered.

    Calls block; they may come from any thread.

    Args:
        path: the SQLite file; made if there is none.
        delivers: whether new sessions are to be delivered, so that they wait in the outbox.

    Raises (every call):
        StoreError: the file cannot be read or written; says why and what to do.
    """

    def __init__(self, path: Path, *, delivers: bool = False) -> None:
        self.path = path.expanduser()
        self._delivers = delivers
        self._location = file_location(self.path)
        self._engine = open_database(self._location)

    def add(self, summary: SessionSummary, strokes: Sequence[JudgedStroke]) -> bool:
        """Store once: False, and nothing changed, if this id and revision are there already.

        The session, its strokes and its place in the outbox become durable together.
        """
        with explained(self._location), self._engine.begin() as connection:
            new = insert_once(connection, schema.sessions).values(**asdict(summary))
            if connection.execute(new).rowcount == 0:
                return False
            if strokes:
                rows = [_stroke_row(summary, judged) for judged in strokes]
                connection.execute(insert(schema.strokes), rows)
            if self._delivers:
                ids = {"session_id": summary.session_id, "revision": summary.revision}
                connection.execute(insert(schema.outbox).values(**ids))
        return True

    def undelivered(self, after: int = 0, limit: int = 100) -> list[tuple[int, SessionSummary]]:
        """What waits in the outbox, in the order in which it was stored, numbered.

        Args:
            after: only what has a higher number.
            limit: at most so many.
        """
        sessions, outbox = schema.sessions, schema.outbox
        same = and_(
            outbox.c.session_id == sessions.c.session_id, outbox.c.revision == sessions.c.revision
        )
        query = select(outbox.c.n, sessions).join(sessions, same)
        query = query.where(outbox.c.n > after).order_by(outbox.c.n).limit(limit)
        with explained(self._location), self._engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [(int(row.pop("n")), SessionSummary(**row)) for row in rows]

    def waiting(self) -> int:
        """How many sessions wait in the outbox."""
        with explained(self._location), self._engine.connect() as connection:
            return int(
                connection.execute(select(func.count()).select_from(schema.outbox)).scalar_one()
            )

    def delivered(self, numbers: Collection[int]) -> None:
        """Take these out of the outbox; numbers that are not there are none of its business."""
        with explained(self._location), self._engine.begin() as connection:
            connection.execute(delete(schema.outbox).where(schema.outbox.c.n.in_(numbers)))

    def last_of_each_athlete(self) -> list[SessionSummary]:
        """The session of every athlete that began last."""
        sessions = schema.sessions
        latest = (
            select(sessions.c.athlete, func.max(sessions.c.started_unix_s).label("started"))
            .group_by(sessions.c.athlete)
            .subquery()
        )
        newest = and_(
            sessions.c.athlete == latest.c.athlete, sessions.c.started_unix_s == latest.c.started
        )
        query = latest_revisions().join(latest, newest).order_by(sessions.c.session_id)
        with explained(self._location), self._engine.connect() as connection:
            found = [to_summary(row) for row in connection.execute(query).mappings()]
        return list({summary.athlete: summary for summary in found}.values())

    def newest(self, limit: int = 20, *, athlete: str | None = None) -> list[SessionSummary]:
        """Return the last sessions, newest first, each in its latest revision."""
        query = latest_revisions().order_by(schema.sessions.c.started_unix_s.desc()).limit(limit)
        if athlete is not None:
            query = query.where(schema.sessions.c.athlete == athlete)
        with explained(self._location), self._engine.connect() as connection:
            return [to_summary(row) for row in connection.execute(query).mappings()]

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
        with explained(self._location), self._engine.connect() as connection:
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
            with explained(self._location), self._engine.connect() as connection:
                rows = connection.execute(latest_revisions().where(like).limit(2)).mappings()
                found = [to_summary(row) for row in rows]
        if len(found) == 1:
            return found[0]
        if found:
            ids = " or ".join(summary.session_id for summary in found)
            raise UsageError(
                f'More than one session in {self.path} has an id that starts with "{session_id}".',
                hint=f"Write more of it: {ids}.",
            )
        if session_id == LAST:
            raise UsageError(f"There is no session in {self.path} yet.", hint="Roll one.")
        raise UsageError(
            f'No session in {self.path} has an id that starts with "{session_id}".',
            hint="See `rolltrack sessions list`.",
        )


def _stroke_row(summary: SessionSummary, judged: JudgedStroke) -> dict[str, Any]:
    verdicts = msgspec.json.encode(judged.verdicts).decode()
    ids = {"session_id": summary.session_id, "revision": summary.revision}
    return ids | asdict(judged.stroke) | {"verdicts": verdicts}


def _judged(row: RowMapping) -> JudgedStroke:
    columns = {str(name): value for name, value in row.items()}
    verdicts = msgspec.json.decode(columns.pop("verdicts"), type=tuple[Verdict, ...])
    del columns["session_id"], columns["revision"]
    return JudgedStroke(Stroke(**columns), verdicts)
