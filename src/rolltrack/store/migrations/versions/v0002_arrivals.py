"""What an archive received: the payloads as they came, and what it refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "arrivals",
        sa.Column("session_id", sa.String, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("site", sa.String, nullable=False),
        sa.Column("arrived_unix_s", sa.Float, nullable=False),
        sa.Column("payload", sa.String, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id", "revision"], ["sessions.session_id", "sessions.revision"]
        ),
    )
    op.create_table(
        "refused",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("arrived_unix_s", sa.Float, nullable=False),
        sa.Column("topic", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
