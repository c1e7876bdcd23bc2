"""Readings of one sensor on its own times, and how those of several come onto one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.errors import InputError

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

# Phones deliver readings out of order by some milliseconds; more than this is another recording.
_LARGEST_DISORDER_S = 1.0
# Farther from the nearest reading than this, a value would be invented.
_NEAR_S = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """(n,) times in seconds and (n, 3) values of one sensor; NaN rows are missing readings."""

    t_s: FloatArray
    xyz: FloatArray

    def onto(self, t_s: FloatArray) -> FloatArray:
        """(m, 3) values at other times, interpolated; NaN rows where no reading is near."""
        present = np.isfinite(self.xyz).all(axis=1)
        own_s, xyz = self.t_s[present], self.xyz[present]
        if np.array_equal(own_s, t_s):
            return xyz
        if not len(own_s):
            return np.full((len(t_s), 3), np.nan)
        values = np.column_stack([np.interp(t_s, own_s, xyz[:, k]) for k in range(3)])
        after = np.searchsorted(own_s, t_s).clip(0, len(own_s) - 1)
        before = (after - 1).clip(0)
        distance_s = np.minimum(np.abs(own_s[after] - t_s), np.abs(own_s[before] - t_s))
        values[distance_s > _NEAR_S] = np.nan
        return values


@dataclass(frozen=True, slots=True)
class Repairs:
    """What had to be put right in the times of a recording."""

    repeated: int = 0
    disordered: int = 0
    untimed: int = 0

    def notes(self) -> tuple[str, ...]:
        """Sentences for the user; empty when nothing was wrong."""
        said = (
            (self.repeated, "dropped {} with repeated times"),
            (self.untimed, "dropped {} without a time"),
            (self.disordered, "put {} in order that came late"),
        )
        return tuple(
            text.format(f"{n} reading" if n == 1 else f"{n} readings") for n, text in said if n
        )

    def __add__(self, other: Repairs) -> Repairs:
        return Repairs(
            self.repeated + other.repeated,
            self.disordered + other.disordered,
            self.untimed + other.untimed,
        )


def tidy(series: Series, where: str) -> tuple[Series, Repairs]:
    """Sort by time and keep the first of several readings with one time.

    Raises:
        InputError: time goes back by more than a second, as between two recordings, or there is
            no time at all.
    """
    timed = np.isfinite(series.t_s)
    t_s, xyz = series.t_s[timed], series.xyz[timed].copy()
    if not len(t_s):
        raise InputError(f"{where}: the time column holds no times.")
    latest_s = np.maximum.accumulate(t_s)
    late = latest_s - t_s
    if late.max() > _LARGEST_DISORDER_S:
        row = int(np.argmax(late > _LARGEST_DISORDER_S))
        raise InputError(
            f"{where}: time goes back from {latest_s[row]:.3f} s to {t_s[row]:.3f} s"
            f" at reading {row + 1};",
            hint="if these are two recordings in one file, split it there.",
        )
    # A reading with one component missing is a missing reading.
    xyz[~np.isfinite(xyz).all(axis=1)] = np.nan
    sorted_s, first = np.unique(t_s, return_index=True)
    repairs = Repairs(
        len(t_s) - len(sorted_s), int(np.count_nonzero(late > 0)), int(np.count_nonzero(~timed))
    )
    return Series(sorted_s, xyz[first]), repairs
