"""What an archive keeps: sessions, how their payloads read, and what it refused."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, func, insert, select

from rolltrack.store import schema
from rolltrack.store.database import explained, insert_once, open_database
from rolltrack.wire import SessionPayload, Topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

    from rolltrack.archive.arrival import Arrival
    from rolltrack.store.location import Location

REFUSED_KEPT = 1000
REFUSED_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that is no session summary."""

    topic: str
    reason: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a batch, as positions in it.

    Attributes:
        new: stored now.
        known: stored before.
        other: another session is stored under the same id and revision, and stays; this one is
            kept with the refused messages.
    """

    new: frozenset[int]
    known: frozenset[int]
    other: frozenset[int]


class ArchiveStore:
    """The database of an archive. Calls block; they may come from any thread.

    Raises (every call):
        StoreError: the database cannot be read or written; says why and what to do.
    """

    def __init__(self, location: Location) -> None:
        self.location = location
        self._engine = open_database(location)

    @property
    def engine(self) -> Engine:
        """For those who read."""
        return self._engine

    def keep(
        self,
        arrivals: Sequence[Arrival],
        refusals: Sequence[Refusal],
        *,
        site: str,
        arrived_unix_s: float,
    ) -> Kept:
        """Store all of it in one transaction, or nothing; what is there already stays as it is."""
        said: dict[bool | None, set[int]] = {True: set(), False: set(), None: set()}
        # Two archives may write to one database: in the same order they cannot block each other.
        ordered = sorted(range(len(arrivals)), key=lambda i: _key(arrivals[i]))
        with explained(self.location), self._engine.begin() as connection:
            for i in ordered:
                said[_keep_one(connection, arrivals[i], site, arrived_unix_s)].add(i)
            contradictions = [_contradiction(arrivals[i], site) for i in sorted(said[None])]
            if apart := [*refusals, *contradictions]:
                _keep_refusals(connection, apart, arrived_unix_s)
        return Kept(frozenset(said[True]), frozenset(said[False]), frozenset(said[None]))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _key(arrival: Arrival) -> tuple[str, int]:
    return arrival.payload.session_id, arrival.payload.revision


def _keep_one(
    connection: Connection, arrival: Arrival, site: str, arrived_unix_s: float
) -> bool | None:
    """True: stored; False: is stored already; None: the key is another session's."""
    session = insert_once(connection, schema.sessions).values(**asdict(arrival.summary))
    if connection.execute(session.returning(schema.sessions.c.revision)).first():
        row = {
            "session_id": arrival.payload.session_id,
            "revision": arrival.payload.revision,
            "site": site,
            "arrived_unix_s": arrived_unix_s,
            "payload": arrival.text,
        }
        connection.execute(insert(schema.arrivals).values(**row))
        return True
    return False if _stored_payload(connection, arrival) == arrival.payload else None


def _stored_payload(connection: Connection, arrival: Arrival) -> SessionPayload | None:
    arrivals = schema.arrivals
    session_id, revision = _key(arrival)
    query = select(arrivals.c.payload).where(
        arrivals.c.session_id == session_id, arrivals.c.revision == revision
    )
    text = connection.execute(query).scalar_one_or_none()
    try:
        return None if text is None else msgspec.json.decode(text, type=SessionPayload)
    except msgspec.DecodeError:  # a newer rolltrack's
        return None


def _contradiction(arrival: Arrival, site: str) -> Refusal:
    payload = arrival.payload
    topic = Topics(site).session(payload.athlete, payload.session_id)
    reason = f"says other things than is stored as revision {payload.revision}"
    return Refusal(topic, reason, arrival.text.encode())


def _keep_refusals(
    connection: Connection, refusals: Sequence[Refusal], arrived_unix_s: float
) -> None:
    """The newest are enough to see what is going on, and cannot fill the disk."""
    rows: list[dict[str, Any]] = [
        {
            "arrived_unix_s": arrived_unix_s,
            "topic": refusal.topic,
            "reason": refusal.reason,
            "body": refusal.body[:REFUSED_BYTES],
        }
        for refusal in refusals
    ]
    connection.execute(insert(schema.refused), rows)
    newest = select(func.max(schema.refused.c.n)).scalar_subquery()
    connection.execute(delete(schema.refused).where(schema.refused.c.n <= newest - REFUSED_KEPT))
