"""A machine that cannot keep up says live speed less often, instead of later and later."""

from __future__ import annotations

import asyncio
import logging

_log = logging.getLogger("rolltrack.service")

LOOK_S = 0.2
LATE_S = 0.3
"""The event loop comes to a thing this much later than it should: live speed is no longer live."""
EASED_S = 0.1
CALM_LOOKS = 50
"""So many looks in a row with time to spare, and live speed comes as often as before."""


class Haste:
    """Watches how late the event loop is.

    Attributes:
        hurried: whether there is no time for all that could be done.
    """

    def __init__(self) -> None:
        self.hurried = False
        self._calm = 0

    async def watch(self) -> None:
        """Look, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + LOOK_S
            await asyncio.sleep(LOOK_S)
            self.see(loop.time() - due_s)

    def see(self, late_s: float) -> None:
        """Take how late the last look was."""
        self._calm = self._calm + 1 if late_s < EASED_S else 0
        if late_s > LATE_S and not self.hurried:
            self.hurried = True
            _log.warning(
                "this machine cannot keep up: live speed now comes 5 times a second; what is final"
                " stays as it is. Connect fewer rollers, or stop other programs."
            )
        elif self.hurried and self._calm >= CALM_LOOKS:
            self.hurried = False
            _log.info("this machine keeps up again: live speed comes as often as before")
