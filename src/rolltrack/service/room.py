"""Whether what is finished can still be brought to safety."""

from __future__ import annotations

import logging

log = logging.getLogger("rolltrack.service")


class Room:
    """Told by whoever writes to the disk; while one of them cannot, no new session is begun."""

    def __init__(self) -> None:
        self._without: set[str] = set()

    @property
    def full(self) -> bool:
        """Whether somebody cannot write."""
        return bool(self._without)

    def report(self, who: str, *, room: bool) -> None:
        """`who` could, or could not, write just now."""
        was_full = self.full
        if room:
            self._without.discard(who)
        else:
            self._without.add(who)
        if self.full and not was_full:
            log.error("There is no room to keep sessions: no new ones are begun until there is.")
        elif was_full and not self.full:
            log.info("There is room again; sessions are begun as before.")
