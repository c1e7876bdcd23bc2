"""How often each speed was rolled: what percentiles need, in a size that time does not change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.sample import FloatArray

STEP_MPS = 5e-5
"""Half of what is published of a speed."""
_MOST_MPS = 20.0
"""No hand is faster; what is counts as this, so that a wild reading takes no memory."""


@dataclass(slots=True)
class SpeedTally:
    """Counts of speeds, so many steps wide; the table is as long as the fastest of them needs.

    Attributes:
        counts: (n,) how many instants each step of speed was rolled.
        peak_mps: the fastest, exactly.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    peak_mps: float = 0.0

    def __len__(self) -> int:
        return int(self.counts.sum())

    def add(self, speeds_mps: FloatArray) -> None:
        """Count speeds (n,), none of them negative."""
        if not len(speeds_mps):
            return
        self.peak_mps = max(self.peak_mps, float(speeds_mps.max()))
        steps = (np.minimum(speeds_mps, _MOST_MPS) / STEP_MPS).astype(np.intp)
        counts = np.bincount(steps, minlength=len(self.counts))
        counts[: len(self.counts)] += self.counts
        self.counts = counts

    def percentile_mps(self, percent: float) -> float:
        """The speed that so many per cent of the instants do not exceed, to `STEP_MPS`."""
        rank = percent / 100 * (len(self) - 1)
        below = np.cumsum(self.counts)
        step = int(np.searchsorted(below, rank, side="right"))
        within = (rank - float(below[step] - self.counts[step]) + 0.5) / float(self.counts[step])
        return min((step + min(within, 1.0)) * STEP_MPS, self.peak_mps)
