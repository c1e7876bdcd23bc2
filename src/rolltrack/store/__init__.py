"""The session store."""

from __future__ import annotations

from rolltrack.store.sessions import SessionStore, StoredSession

__all__ = ["SessionStore", "StoredSession"]
