"""A uniform cubic B-spline and its derivatives at irregular times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.sample import FloatArray

ORDER = 4
_VALUE = np.array([[1, -3, 3, -1], [4, 0, -6, 3], [1, 3, 3, -3], [0, 0, 0, 1]]) / 6.0
_SLOPE = np.pad(_VALUE[:, 1:] * [1, 2, 3], ((0, 0), (0, 1)))
_BEND = np.pad(_SLOPE[:, 1:] * [1, 2, 3], ((0, 0), (0, 1)))
_POLYNOMIALS = np.stack([_VALUE, _SLOPE, _BEND])
"""(3, 4, 4) of the functions and their derivatives by the share u of an interval, for 1 u u2 u3."""
_NEIGHBOURS = np.arange(ORDER)[:, np.newaxis]


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """The four basis functions alive at each of N times, after de Boor.

    Knot interval j runs from start_s + j h to start_s + (j+1) h and uses coefficients j..j+3.

    Attributes:
        start_s: beginning of interval 0.
        spacing_s: knot spacing h.
        interval: (N,) interval of each time, ascending.
        functions: (3, 4, N) the functions, their first and their second derivatives.
        occupied: (m,) intervals that hold at least one time.
        first: (m,) index of the first time in each of them.
        intervals: how many intervals there are.
    """

    start_s: float
    spacing_s: float
    interval: NDArray[np.intp]
    functions: FloatArray
    occupied: NDArray[np.intp]
    first: NDArray[np.intp]
    intervals: int

    @classmethod
    def at(cls, t_s: FloatArray, start_s: float, spacing_s: float) -> Basis:
        """Evaluate the basis at times t_s (N,), ascending and not before start_s."""
        x = (t_s - start_s) / spacing_s
        interval = x.astype(np.intp)
        u = x - interval
        powers = np.ones((ORDER, len(t_s)))
        powers[1] = u
        np.multiply(u, u, out=powers[2])
        np.multiply(powers[2], u, out=powers[3])
        scale = np.array([1.0, spacing_s, spacing_s**2])[:, np.newaxis, np.newaxis]
        functions = (_POLYNOMIALS / scale).reshape(3 * ORDER, ORDER) @ powers
        changes = np.flatnonzero(np.diff(interval)) + 1
        first = np.concatenate([np.zeros(1, dtype=np.intp), changes])
        return cls(
            start_s,
            spacing_s,
            interval,
            functions.reshape(3, ORDER, -1),
            interval[first],
            first,
            int(interval[-1]) + 1,
        )

    @property
    def coefficients(self) -> int:
        """How many coefficients the spline has."""
        return self.intervals + ORDER - 1

    @property
    def end_s(self) -> float:
        """End of the last interval."""
        return self.start_s + self.intervals * self.spacing_s

    @property
    def value(self) -> FloatArray:
        """(4, N) the functions."""
        return np.asarray(self.functions[0])

    @property
    def slope(self) -> FloatArray:
        """(4, N) their first derivatives."""
        return np.asarray(self.functions[1])

    @property
    def bend(self) -> FloatArray:
        """(4, N) their second derivatives."""
        return np.asarray(self.functions[2])

    def evaluate(self, coefficients: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Value, slope and bend at the N times: (N,) of coefficients (n,), (m, N) of (n, m)."""
        active = coefficients[self.interval + _NEIGHBOURS]
        value, slope, bend = np.einsum("kan,an...->k...n", self.functions, active)
        return value, slope, bend

    def per_interval_first(self, rows: FloatArray) -> FloatArray:
        """(intervals, ...) sum of (N, ...) likewise; for wide rows faster than reduceat."""
        spread = np.zeros((self.intervals, *rows.shape[1:]))
        into, from_, last = self.occupied, self.first, np.append(self.first[1:], len(rows))
        while len(into):
            spread[into] += rows[from_]
            more = from_ + 1 < last
            into, from_, last = into[more], from_[more] + 1, last[more]
        return spread

    def per_interval(self, columns: FloatArray) -> FloatArray:
        """Sum (..., N) over the times in each interval; empty intervals get zero."""
        sums = np.add.reduceat(columns, self.first, axis=-1)
        if len(self.occupied) == self.intervals:
            return np.asarray(sums)
        spread = np.zeros((*columns.shape[:-1], self.intervals))
        spread[..., self.occupied] = sums
        return spread
