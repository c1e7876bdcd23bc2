"""A banded system with a border of a few dense columns: solved, and parts of its inverse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded

from rolltrack.core.motion.spline import ORDER

if TYPE_CHECKING:
    from rolltrack.core.motion.normal import Bordered
    from rolltrack.core.motion.spline import Basis
    from rolltrack.core.sample import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A step, and what is needed to tell how certain it is.

    Attributes:
        step: (n,) of the coefficients.
        constants_step: (nc,) of the constants.
        factor: Cholesky factor of the band.
        border: (n, nc) A^-1 C.
        constants_precision: (nc, nc) Schur complement: inverse covariance of the constants.
    """

    step: FloatArray
    constants_step: FloatArray
    factor: FloatArray
    border: FloatArray
    constants_precision: FloatArray


def solve(system: Bordered) -> Solved:
    """Block elimination: the band by LAPACK's Cholesky, the constants by a Schur complement.

    Raises:
        numpy.linalg.LinAlgError: the system is not positive definite.
    """
    factor = cholesky_banded(system.band, lower=True, overwrite_ab=True, check_finite=False)
    sides = np.column_stack([system.pull, system.border])
    answers = cho_solve_banded((factor, True), sides, overwrite_b=True, check_finite=False)
    free, border = answers[:, 0], answers[:, 1:]
    precision = system.constants - system.border.T @ border
    pull = system.constants_pull - system.border.T @ free
    constants_step = np.asarray(np.linalg.solve(precision, pull), dtype=float)
    return Solved(free - border @ constants_step, constants_step, factor, border, precision)


def with_border(solved: Solved, border: FloatArray) -> Solved:
    """The same solution with another border (n, nc) through which constants act."""
    columns = cho_solve_banded((solved.factor, True), border, check_finite=False)
    return replace(solved, border=np.asarray(columns))


def rate_variance(basis: Basis, solved: Solved, memory_s: float) -> FloatArray:
    """(N,) variance of the spline's slope at the basis' times.

    The inverse of the band fades within `memory_s`, so one solve serves many columns of it: unit
    vectors that far apart do not disturb each other.
    """
    count = basis.coefficients
    width = min(count, max(4 * ORDER, int(memory_s / basis.spacing_s)))
    probe = np.zeros((count, width))
    index = np.arange(count)
    probe[index, index % width] = 1.0
    columns = cho_solve_banded((solved.factor, True), probe, overwrite_b=True, check_finite=False)
    start = np.arange(basis.intervals)
    local = np.empty((ORDER, ORDER, basis.intervals))
    for a in range(ORDER):
        for b in range(ORDER):
            local[a, b] = columns[start + a, (start + b) % width]
    spread = local[:, :, basis.interval]
    variance = np.einsum("an,abn,bn->n", basis.slope, spread, basis.slope)
    active = np.stack([solved.border[basis.interval + a] for a in range(ORDER)])
    through = np.einsum("an,ank->nk", basis.slope, active)
    covariance = np.linalg.inv(solved.constants_precision)
    variance += np.einsum("nk,kl,nl->n", through, covariance, through)
    return np.asarray(np.maximum(variance, 0.0))
