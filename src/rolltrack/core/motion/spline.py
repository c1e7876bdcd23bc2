"""A uniform cubic B-spline and its derivatives at irregular times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.sample import FloatArray

ORDER = 4


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """The four basis functions alive at each of N times, after de Boor.

    Knot interval j runs from start_s + j h to start_s + (j+1) h and uses coefficients j..j+3.

    Attributes:
        start_s: beginning of interval 0.
        spacing_s: knot spacing h.
        interval: (N,) interval of each time, ascending.
        value: (4, N) the functions.
        slope: (4, N) their first derivative.
        bend: (4, N) their second derivative.
        occupied: (m,) intervals that hold at least one time.
        first: (m,) index of the first time in each of them.
        intervals: how many intervals there are.
    """

    start_s: float
    spacing_s: float
    interval: NDArray[np.intp]
    value: FloatArray
    slope: FloatArray
    bend: FloatArray
    occupied: NDArray[np.intp]
    first: NDArray[np.intp]
    intervals: int

    @classmethod
    def at(cls, t_s: FloatArray, start_s: float, spacing_s: float) -> Basis:
        """Evaluate the basis at times t_s (N,), ascending and not before start_s."""
        x = (t_s - start_s) / spacing_s
        interval = x.astype(np.intp)
        u = x - interval
        v, h = 1.0 - u, spacing_s
        u2, v2 = u * u, v * v
        value = np.stack([v2 * v, 3 * u2 * u - 6 * u2 + 4, 3 * v2 * v - 6 * v2 + 4, u2 * u]) / 6
        slope = np.stack([-v2, 3 * u2 - 4 * u, 4 * v - 3 * v2, u2]) / (2 * h)
        bend = np.stack([v, 3 * u - 2, 3 * v - 2, u]) / h**2
        changes = np.flatnonzero(np.diff(interval)) + 1
        first = np.concatenate([np.zeros(1, dtype=np.intp), changes])
        return cls(
            start_s,
            spacing_s,
            interval,
            value,
            slope,
            bend,
            interval[first],
            first,
            int(interval[-1]) + 1,
        )

    @property
    def coefficients(self) -> int:
        """How many coefficients the spline has."""
        return self.intervals + ORDER - 1

    def evaluate(self, coefficients: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Value, slope and bend of the spline at the N times."""
        active = np.stack([coefficients[self.interval + a] for a in range(ORDER)])
        return (
            np.einsum("an,an->n", self.value, active),
            np.einsum("an,an->n", self.slope, active),
            np.einsum("an,an->n", self.bend, active),
        )

    def per_interval(self, columns: FloatArray) -> FloatArray:
        """Sum (..., N) over the times in each interval; empty intervals get zero."""
        sums = np.add.reduceat(columns, self.first, axis=-1)
        if len(self.occupied) == self.intervals:
            return np.asarray(sums)
        spread = np.zeros((*columns.shape[:-1], self.intervals))
        spread[..., self.occupied] = sums
        return spread
