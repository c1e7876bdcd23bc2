"""One sensor of a phone, while its readings wait for those of the others.

Phones sample each sensor on its own clock tick: what belongs together has nearly, not exactly,
equal times, so one sensor's times lead and the others are interpolated to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.sample import FloatArray

# Farther from the nearest reading than this, a value would be invented.
_NEAR_NS = 50_000_000


class Channel:
    """Waiting readings of one sensor in time order; the first of several with one time counts."""

    def __init__(self) -> None:
        self.t_ns: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.xyz: FloatArray = np.empty((0, 3))

    def __len__(self) -> int:
        return len(self.t_ns)

    @property
    def newest_ns(self) -> int | None:
        """Time of the latest reading, None without any."""
        return int(self.t_ns[-1]) if len(self) else None

    def add(self, t_ns: list[int], xyz: list[tuple[float, float, float]]) -> None:
        """Take readings, in any order."""
        if not t_ns:
            return
        times = np.concatenate([self.t_ns, np.array(t_ns, dtype=np.int64)])
        values = np.concatenate([self.xyz, np.array(xyz, dtype=np.float64)])
        self.t_ns, first = np.unique(times, return_index=True)
        self.xyz = values[first]

    def take_until(self, t_ns: int) -> tuple[NDArray[np.int64], FloatArray]:
        """Remove and return the readings up to a time."""
        n = int(np.searchsorted(self.t_ns, t_ns, side="right"))
        taken = self.t_ns[:n], self.xyz[:n]
        self.t_ns, self.xyz = self.t_ns[n:], self.xyz[n:]
        return taken

    def forget_before(self, t_ns: int) -> None:
        """Drop what can no longer be needed to interpolate at or after a time."""
        keep = max(int(np.searchsorted(self.t_ns, t_ns, side="right")) - 1, 0)
        self.t_ns, self.xyz = self.t_ns[keep:], self.xyz[keep:]

    def at(self, t_ns: NDArray[np.int64]) -> FloatArray:
        """(n, 3) values at these times; NaN rows where no reading is near."""
        if not len(self):
            return np.full((len(t_ns), 3), np.nan)
        # Differences to one of the times: nanoseconds since 1970 do not fit into a float.
        here, there = (t_ns - t_ns[0]).astype(np.float64), (self.t_ns - t_ns[0]).astype(np.float64)
        values = np.column_stack([np.interp(here, there, self.xyz[:, k]) for k in range(3)])
        after = np.searchsorted(there, here).clip(0, len(there) - 1)
        before = (after - 1).clip(0)
        distance = np.minimum(np.abs(there[after] - here), np.abs(there[before] - here))
        values[distance > _NEAR_NS] = np.nan
        return values
