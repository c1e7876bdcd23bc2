"""Sessions that are still to be delivered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table; what older versions stored counts as delivered."""
    op.create_table(
        "outbox",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("session_id", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id", "revision"], ["sessions.session_id", "sessions.revision"]
        ),
        sa.UniqueConstraint("session_id", "revision"),
    )
