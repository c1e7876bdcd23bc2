"""Sessions and their strokes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables; a first start that was killed may have made some of them."""
    op.create_table(
        "rolltrack_schema",
        sa.Column("version", sa.Integer, primary_key=True),
        if_not_exists=True,
    )
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.String, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("athlete", sa.String, nullable=False),
        sa.Column("roller", sa.String, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("protocol", sa.String, nullable=False),
        sa.Column("started_unix_s", sa.Float, nullable=False),
        sa.Column("ended_unix_s", sa.Float, nullable=False),
        sa.Column("rolling_s", sa.Float, nullable=False),
        sa.Column("hold_s", sa.Float, nullable=False),
        sa.Column("unknown_s", sa.Float, nullable=False),
        sa.Column("strokes", sa.Integer, nullable=False),
        sa.Column("too_fast_strokes", sa.Integer, nullable=False),
        sa.Column("mean_speed_mps", sa.Float),
        sa.Column("p95_speed_mps", sa.Float),
        sa.Column("peak_speed_mps", sa.Float),
        sa.Column("time_too_fast_s", sa.Float, nullable=False),
        sa.Column("distance_m", sa.Float, nullable=False),
        sa.Column("limit_mps", sa.Float, nullable=False),
        sa.Column("gaps", sa.Integer, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("samples_lost", sa.Integer, nullable=False),
        sa.Column("algorithm", sa.String, nullable=False),
        sa.Column("end", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index(
        "sessions_by_time", "sessions", ["athlete", "started_unix_s"], if_not_exists=True
    )
    op.create_table(
        "strokes",
        sa.Column("session_id", sa.String, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("end_s", sa.Float, nullable=False),
        sa.Column("direction", sa.Integer, nullable=False),
        sa.Column("length_m", sa.Float, nullable=False),
        sa.Column("peak_speed_mps", sa.Float, nullable=False),
        sa.Column("mean_speed_sd_mps", sa.Float, nullable=False),
        sa.Column("partly_unknown", sa.Boolean, nullable=False),
        sa.Column("verdicts", sa.String, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id", "revision"], ["sessions.session_id", "sessions.revision"]
        ),
        if_not_exists=True,
    )
