"""How much smoothing has rounded off an estimate: found by smoothing it once more.

What a smoother takes from its own answer is about what it took from the truth (Tukey's twicing,
Exploratory Data Analysis, 1977). Added back everywhere it would make the speed noisier than it is
wrong; but where a stroke begins and ends, on a rough floor, it is the larger of the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.bordered import solve_band
from rolltrack.core.motion.noise import box
from rolltrack.core.motion.spline import ORDER

if TYPE_CHECKING:
    from rolltrack.core.motion.spline import Basis
    from rolltrack.core.sample import FloatArray

_AROUND_S = 0.3


def blur_radps(
    basis: Basis, factor: FloatArray, c: FloatArray, row: FloatArray, weight: FloatArray
) -> FloatArray:
    """(N,) how much smoothing has added to the rate at the basis' times.

    Args:
        basis: the spline's basis at the N readings.
        factor: Cholesky factor of the band of the last step.
        c: (n,) coefficients.
        row: (4,) row e of the process prior: e.c is white noise.
        weight: (intervals,) its inverse variance.
    """
    intervals = basis.intervals
    surprise = weight * sum(row[a] * c[a : a + intervals] for a in range(ORDER))
    pull = np.zeros((len(c), 1), order="F")
    for a in range(ORDER):
        pull[a : a + intervals, 0] += row[a] * surprise
    _, taken, _ = basis.evaluate(solve_band(factor, pull)[:, 0])
    return -taken


def blur_around(blur: FloatArray, period_s: float) -> FloatArray:
    """(N,) root mean square of a blur (N,) over 0.3 s: how wrong smoothing may be there."""
    return np.asarray(np.sqrt(box(blur**2, round(_AROUND_S / period_s))))
