"""Final motion -> the sums of a session summary."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from rolltrack.core.intake import MAX_HOLE_S
from rolltrack.core.session.tally import SpeedTally
from rolltrack.core.strokes.edge import THRESHOLD_MPS

if TYPE_CHECKING:
    from rolltrack.core.coaching.protocol import RollingProtocol
    from rolltrack.core.motion.motion import Motion
    from rolltrack.core.sample import BoolArray, FloatArray

_STEADY_S = 0.5
"""Tremor is averaged over this before a hold is called still."""

_LONGEST_KNOCK_S = 0.5
"""Unknown for longer than that is the roller in somebody's hands; knocks take 0.2 s at most."""

_MOST_WITHOUT_SPEED = 0.05
"""Of the rolling: with more than that unmeasured, a mean of the rest would mislead."""


@dataclass(slots=True)
class Ledger:
    """Running sums; a hold counts once motion follows it, so that walking away is not a hold.

    Unknown instants are no motion: a knock is part of the hold around it, and what lay still until
    it was lifted was put away.
    """

    rolling_s: float = 0.0
    no_speed_s: float = 0.0
    hold_s: float = 0.0
    unknown_s: float = 0.0
    too_fast_s: float = 0.0
    distance_m: float = 0.0
    speeds: SpeedTally = field(default_factory=SpeedTally)
    previous_s: float | None = None
    still_since_s: float | None = None
    unknown_since_s: float | None = None
    rolled_from_s: float = np.inf

    def feed(self, motion: Motion, protocol: RollingProtocol) -> None:
        """Add the next stretch of the session."""
        if not len(motion):
            return
        before_s = motion.t_s[0] if self.previous_s is None else self.previous_s
        steps_s = np.diff(motion.t_s, prepend=before_s)
        hole = steps_s > MAX_HOLE_S
        self.unknown_s += float(steps_s[hole | motion.nothing_known].sum())
        speed = np.abs(np.nan_to_num(motion.speed_mps))
        rolling = motion.valid & ~hole & (speed > THRESHOLD_MPS)
        no_speed = _goes_somewhere(motion) & ~motion.valid & ~hole
        if (rolling | no_speed).any():
            first = int(np.argmax(rolling | no_speed))
            self.rolled_from_s = min(self.rolled_from_s, float(motion.t_s[first]))
        self.rolling_s += float(steps_s[rolling | no_speed].sum())
        self.no_speed_s += float(steps_s[no_speed].sum())
        self.too_fast_s += float(steps_s[rolling & (speed > protocol.max_stroke_speed_mps)].sum())
        self.distance_m += float((steps_s * speed)[rolling].sum())
        self.speeds.add(speed[rolling])
        known_until_s = np.where(hole, motion.t_s - steps_s, motion.t_s)
        self._add_holds(motion, known_until_s, protocol)
        self.previous_s = float(motion.t_s[-1])

    def _add_holds(
        self, motion: Motion, known_until_s: FloatArray, protocol: RollingProtocol
    ) -> None:
        period_s = float(np.median(np.diff(motion.t_s))) if len(motion) > 1 else _STEADY_S
        width = max(1, round(_STEADY_S / max(period_s, 1e-3)))
        steady = np.abs(uniform_filter1d(np.nan_to_num(motion.speed_mps), width, mode="nearest"))
        unknown = motion.nothing_known | (known_until_s < motion.t_s)
        still = ~unknown & (steady < protocol.hold_max_speed_mps)
        still &= motion.valid | ~_goes_somewhere(motion)
        changes = (np.diff(still) | np.diff(unknown)).nonzero()[0] + 1
        for start in [0, *changes.tolist()]:
            t_s = float(motion.t_s[start])
            if unknown[start]:
                if self.unknown_since_s is None:
                    self.unknown_since_s = float(known_until_s[start])
                continue
            ended_s = t_s if self.unknown_since_s is None else self.unknown_since_s
            self.unknown_since_s = None
            if t_s - ended_s > _LONGEST_KNOCK_S:
                self.still_since_s = None
            if still[start] and self.still_since_s is None and t_s > self.rolled_from_s:
                self.still_since_s = t_s
            elif not still[start] and self.still_since_s is not None:
                held_s = ended_s - self.still_since_s
                self.hold_s += held_s if held_s >= protocol.hold_min_s else 0.0
                self.still_since_s = None

    def interrupt(self) -> None:
        """A gap: a hold is not carried across it."""
        self.still_since_s = self.unknown_since_s = None

    @property
    def travelled_m(self) -> float | None:
        """Distance along the tissue; None where too much of it was rolled at no known speed."""
        known = self.no_speed_s <= _MOST_WITHOUT_SPEED * self.rolling_s
        return self.distance_m if known else None

    def speed_statistics(self) -> tuple[float, float, float] | None:
        """Mean (distance over rolling time), 95th percentile and peak in m/s; None without any."""
        if not len(self.speeds) or self.travelled_m is None or self.rolling_s <= self.no_speed_s:
            return None
        mean_mps = self.distance_m / (self.rolling_s - self.no_speed_s)
        return mean_mps, self.speeds.percentile_mps(95), self.speeds.peak_mps


def _goes_somewhere(motion: Motion) -> BoolArray:
    """(n,) where the direction is known without a speed."""
    if motion.way is None:
        return np.zeros(len(motion), dtype=bool)
    return np.abs(np.nan_to_num(motion.way)) > 0
