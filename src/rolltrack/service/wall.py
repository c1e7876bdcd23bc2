"""The wall clock, which is set now and then, beside the steady one, which is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

JUMP_S = 1.0
"""Smaller steps are corrections that no one would see in a session's times."""


class WallClock:
    """Notices when the machine's clock is set: at boot without a battery, after a long sleep.

    Args:
        wall_s: Unix seconds now.
        steady_s: seconds that never jump.

    Attributes:
        shift_s: by how much the clock has been set in all.
    """

    def __init__(
        self,
        wall_s: Callable[[], float] = time.time,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.shift_s = 0.0
        self._wall_s = wall_s
        self._steady_s = steady_s
        self._offset_s = wall_s() - steady_s()

    def look(self) -> float:
        """Seconds by which the clock was set since the last look; 0 when it was not."""
        jump_s = self._wall_s() - self._steady_s() - self._offset_s
        if abs(jump_s) < JUMP_S:
            return 0.0
        self._offset_s += jump_s
        self.shift_s += jump_s
        return jump_s
