"""Strokes whose speed is not known, and sessions of them, which have no distance."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

NOW_MAY_BE_EMPTY = (
    ("sessions", "distance_m"),
    ("strokes", "length_m"),
    ("strokes", "peak_speed_mps"),
    ("strokes", "mean_speed_sd_mps"),
)


def upgrade() -> None:
    """Let columns be empty. SQLite cannot change one, and other tables hang on these rows: copy."""
    for table, column in NOW_MAY_BE_EMPTY:
        op.execute(f"ALTER TABLE {table} ADD COLUMN copied FLOAT")
        op.execute(f"UPDATE {table} SET copied = {column}")  # noqa: S608 - names from above
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        op.execute(f"ALTER TABLE {table} RENAME COLUMN copied TO {column}")
