"""What a coach asks an archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, select

from rolltrack.store import schema
from rolltrack.store.database import explained
from rolltrack.store.queries import latest_revisions, to_summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import RowMapping, Select

    from rolltrack.archive.store import ArchiveStore
    from rolltrack.core.events import SessionSummary

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Dose:
    """How much one athlete rolled in a period.

    Attributes:
        last_unix_s: start of the newest session, in the period or not.
    """

    athlete: str
    sessions: int
    rolling_s: float
    strokes: int
    too_fast_strokes: int
    last_unix_s: float

    @property
    def too_fast_share(self) -> float | None:
        """Of the strokes; None when there are none."""
        return self.too_fast_strokes / self.strokes if self.strokes else None


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message that was no session summary; of a long body the beginning."""

    arrived_unix_s: float
    topic: str
    reason: str
    body: bytes


def newest_sessions(
    store: ArchiveStore, limit: int, *, athlete: str | None, since_unix_s: float | None
) -> list[SessionSummary]:
    """The last sessions, newest first, each in its latest revision."""
    query = _narrowed(latest_revisions(), athlete, since_unix_s)
    query = query.order_by(schema.sessions.c.started_unix_s.desc()).limit(limit)
    with explained(store.location), store.engine.connect() as connection:
        return [to_summary(row) for row in connection.execute(query).mappings()]


def doses(store: ArchiveStore, *, since_unix_s: float) -> list[Dose]:
    """Every athlete's sessions that started since then, summed up; sorted by name."""
    latest = latest_revisions().subquery()
    counts = latest.c.started_unix_s >= since_unix_s

    def total(amount: Any) -> Any:
        return func.coalesce(func.sum(case((counts, amount), else_=0)), 0)

    query = (
        select(
            latest.c.athlete,
            total(1).label("sessions"),
            total(latest.c.rolling_s).label("rolling_s"),
            total(latest.c.strokes).label("strokes"),
            total(latest.c.too_fast_strokes).label("too_fast_strokes"),
            func.max(latest.c.started_unix_s).label("last_unix_s"),
        )
        .group_by(latest.c.athlete)
        .order_by(latest.c.athlete)
    )
    with explained(store.location), store.engine.connect() as connection:
        return [_dose(row) for row in connection.execute(query).mappings()]


def count_sessions(store: ArchiveStore, *, athlete: str | None, since_unix_s: float | None) -> int:
    """How many `payloads` will yield."""
    sessions = _narrowed(latest_revisions(), athlete, since_unix_s).subquery()
    with explained(store.location), store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(sessions)).scalar_one()


def payloads(
    store: ArchiveStore, *, athlete: str | None, since_unix_s: float | None
) -> Iterator[str]:
    """The JSON of every session as it came, oldest first, each in its latest revision."""
    sessions, arrivals = schema.sessions, schema.arrivals
    same = and_(
        arrivals.c.session_id == sessions.c.session_id,
        arrivals.c.revision == sessions.c.revision,
    )
    query = _narrowed(latest_revisions(), athlete, since_unix_s).join(arrivals, same)
    query = query.with_only_columns(arrivals.c.payload, maintain_column_froms=True)
    query = query.order_by(sessions.c.started_unix_s, sessions.c.session_id)
    with explained(store.location), store.engine.connect() as connection:
        rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
        for (payload,) in rows:
            yield payload


def refused_messages(store: ArchiveStore, limit: int) -> list[RefusedMessage]:
    """The newest refusals, newest first."""
    refused = schema.refused
    query = select(refused.c.arrived_unix_s, refused.c.topic, refused.c.reason, refused.c.body)
    query = query.order_by(refused.c.n.desc()).limit(limit)
    with explained(store.location), store.engine.connect() as connection:
        return [RefusedMessage(*row) for row in connection.execute(query)]


def _narrowed(query: Select[Any], athlete: str | None, since_unix_s: float | None) -> Select[Any]:
    if athlete is not None:
        query = query.where(schema.sessions.c.athlete == athlete)
    if since_unix_s is not None:
        query = query.where(schema.sessions.c.started_unix_s >= since_unix_s)
    return query


def _dose(row: RowMapping) -> Dose:
    return Dose(**{str(name): value for name, value in row.items()})
