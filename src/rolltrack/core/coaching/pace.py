"""Live speed -> what the roller is doing, and the live cue "too fast"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from rolltrack.core.strokes.edge import THRESHOLD_MPS

if TYPE_CHECKING:
    from rolltrack.core.coaching.protocol import RollingProtocol

State: TypeAlias = Literal["idle", "rolling", "hold", "unknown"]

_CLEAR_SHARE = 0.9
_CLEAR_AFTER_S = 0.3


@dataclass(slots=True)
class Pace:
    """Carries what hysteresis needs.

    The cue comes on with the first instant that is above the limit by more than a standard
    deviation, so that noise alone hardly ever raises it, and goes off after 0.3 s below nine tenths
    of the limit or unknown, so that it does not flicker.
    """

    too_fast: bool = False
    slow_since_s: float | None = None
    still_since_s: float | None = None
    state: State = "unknown"

    def update(
        self, t_s: float, speed_mps: float | None, protocol: RollingProtocol, sd_mps: float = 0.0
    ) -> None:
        """Take the speed of one instant and its standard deviation; None when unknown."""
        if speed_mps is None:
            self.state, self.still_since_s = "unknown", None
            self._may_clear(t_s)
            return
        speed_mps = abs(speed_mps)
        self._update_cue(t_s, speed_mps, sd_mps, protocol.max_stroke_speed_mps)
        if speed_mps > max(THRESHOLD_MPS, protocol.hold_max_speed_mps):
            self.still_since_s = None
        elif self.still_since_s is None:
            self.still_since_s = t_s
        held = self.still_since_s is not None and t_s - self.still_since_s >= protocol.hold_min_s
        self.state = "hold" if held else "rolling"

    def _update_cue(self, t_s: float, speed_mps: float, sd_mps: float, limit_mps: float) -> None:
        if speed_mps - sd_mps > limit_mps:
            self.too_fast, self.slow_since_s = True, None
        elif speed_mps > _CLEAR_SHARE * limit_mps:
            self.slow_since_s = None
        else:
            self._may_clear(t_s)

    def _may_clear(self, t_s: float) -> None:
        if not self.too_fast:
            return
        self.slow_since_s = t_s if self.slow_since_s is None else self.slow_since_s
        if t_s - self.slow_since_s >= _CLEAR_AFTER_S:
            self.too_fast, self.slow_since_s = False, None
