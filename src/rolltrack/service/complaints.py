"""Faults that may repeat a hundred times a second, logged once per kind."""

from __future__ import annotations

import logging
import re

from rolltrack.errors import RolltrackError

log = logging.getLogger("rolltrack.service")


class Complaints:
    """Log the first fault of each kind; faults that differ only in their numbers are one kind."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._known: set[str] = set()

    def report(self, fault: Exception) -> None:
        """Log it in one line if it was foreseen, with its traceback if not."""
        kind = f"{type(fault).__name__} {re.sub(r'[0-9.]+', '#', str(fault))}"
        if kind in self._known:
            return
        self._known.add(kind)
        if isinstance(fault, RolltrackError):
            log.warning("%s: %s", self._who, fault)
        else:
            log.error("%s: unexpected fault, going on", self._who, exc_info=fault)
