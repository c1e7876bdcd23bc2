"""The tables; a column has the name, the unit and the meaning of the field it keeps.

A change here needs a step in `store/migrations/versions`, and its number in `VERSION`.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

VERSION = 4

metadata = MetaData()

schema_version = Table(
    "rolltrack_schema",
    metadata,
    Column("version", Integer, primary_key=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", String, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("athlete", String, nullable=False),
    Column("roller", String, nullable=False),
    Column("region", String, nullable=False),
    Column("protocol", String, nullable=False),
    Column("started_unix_s", Float, nullable=False),
    Column("ended_unix_s", Float, nullable=False),
    Column("rolling_s", Float, nullable=False),
    Column("hold_s", Float, nullable=False),
    Column("unknown_s", Float, nullable=False),
    Column("strokes", Integer, nullable=False),
    Column("too_fast_strokes", Integer, nullable=False),
    Column("mean_speed_mps", Float),
    Column("p95_speed_mps", Float),
    Column("peak_speed_mps", Float),
    Column("time_too_fast_s", Float, nullable=False),
    Column("distance_m", Float),
    Column("limit_mps", Float, nullable=False),
    Column("gaps", Integer, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("samples_lost", Integer, nullable=False),
    Column("algorithm", String, nullable=False),
    Column("end", String, nullable=False),
    Index("sessions_by_time", "athlete", "started_unix_s"),
)

strokes = Table(
    "strokes",
    metadata,
    Column("session_id", String, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("direction", Integer, nullable=False),
    Column("length_m", Float),
    Column("peak_speed_mps", Float),
    Column("mean_speed_sd_mps", Float),
    Column("partly_unknown", Boolean, nullable=False),
    Column("verdicts", String, nullable=False),  # JSON: what each rule said
    ForeignKeyConstraint(["session_id", "revision"], ["sessions.session_id", "sessions.revision"]),
)

outbox = Table(  # a service's: sessions that are still to be delivered
    "outbox",
    metadata,
    Column("n", Integer, primary_key=True),  # the order in which they were stored
    Column("session_id", String, nullable=False),
    Column("revision", Integer, nullable=False),
    ForeignKeyConstraint(["session_id", "revision"], ["sessions.session_id", "sessions.revision"]),
    UniqueConstraint("session_id", "revision"),
)

arrivals = Table(  # an archive's: where a session came from, and all its payload said
    "arrivals",
    metadata,
    Column("session_id", String, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("site", String, nullable=False),
    Column("arrived_unix_s", Float, nullable=False),
    Column("payload", String, nullable=False),  # the JSON as it came
    ForeignKeyConstraint(["session_id", "revision"], ["sessions.session_id", "sessions.revision"]),
)

refused = Table(  # an archive's: messages that are no session summaries
    "refused",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("arrived_unix_s", Float, nullable=False),
    Column("topic", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
