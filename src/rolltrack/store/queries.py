"""Questions that a session store and an archive have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from rolltrack.core.events import SessionSummary
from rolltrack.store import schema

if TYPE_CHECKING:
    from sqlalchemy import RowMapping, Select


def latest_revisions() -> Select[Any]:
    """Every session once, as it was said last."""
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


def to_summary(row: RowMapping) -> SessionSummary:
    """A row of the table `sessions`."""
    return SessionSummary(**{str(name): value for name, value in row.items()})
