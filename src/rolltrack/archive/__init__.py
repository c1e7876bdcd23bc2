"""The coach's collector: keeps the sessions of a whole site, and tells their senders so."""

from __future__ import annotations

from rolltrack.archive.collector import Collector, client_id_of, default_name
from rolltrack.archive.opening import open_patiently
from rolltrack.archive.store import ArchiveStore

__all__ = ["ArchiveStore", "Collector", "client_id_of", "default_name", "open_patiently"]
