"""A banded system with a border of a few dense columns: solved, and parts of its inverse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.lapack import dpbtrf, dpbtrs

from rolltrack.core.motion.short import solve_small
from rolltrack.core.motion.spline import ORDER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.motion.normal import Bordered
    from rolltrack.core.motion.spline import Basis
    from rolltrack.core.sample import FloatArray

_LEAST_VARIANCE = 1e-12


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
    # LAPACK itself: for the short windows of the live estimate, scipy's wrapper costs more than it.
    factor, fault = dpbtrf(system.band, lower=1)
    if fault:
        raise np.linalg.LinAlgError("the readings leave some stretch of the motion open")
    sides = np.empty((len(system.pull), 1 + system.border.shape[1]), order="F")
    sides[:, 0], sides[:, 1:] = system.pull, system.border
    answers = solve_band(factor, sides)
    free, border = answers[:, 0], answers[:, 1:]
    precision = system.constants - system.border.T @ border
    pull = system.constants_pull - system.border.T @ free
    constants_step = solve_small(precision, pull)
    return Solved(free - border @ constants_step, constants_step, factor, border, precision)


def solve_band(factor: FloatArray, sides: FloatArray) -> FloatArray:
    """(n, m) solutions for right-hand sides (n, m), by the band's Cholesky factor."""
    answers, _ = dpbtrs(factor, sides, lower=1)
    return np.asarray(answers)


def with_border(solved: Solved, border: FloatArray) -> Solved:
    """The same solution with another border (n, nc) through which constants act."""
    return replace(solved, border=solve_band(solved.factor, border))


def rate_variance(basis: Basis, solved: Solved, memory_s: float, trusted: FloatArray) -> FloatArray:
    """(N,) variance of the spline's slope at the basis' times; infinite where nothing is trusted.

    The inverse of the band fades within `memory_s`, so one solve serves many columns of it: unit
    vectors that far apart do not disturb each other. Where no reading is trusted it does not fade,
    and no unit vector may stand.

    Args:
        basis: the spline's basis at the N readings.
        solved: the last step.
        memory_s: after so long, readings do not matter any more.
        trusted: (N,) weight of each reading.
    """
    count = basis.coefficients
    width = min(count, max(4 * ORDER, int(memory_s / basis.spacing_s)))
    probe = np.zeros((count, width))
    index = np.arange(count)
    told = basis.per_interval(trusted) > 0.0
    near = np.zeros(count, dtype=bool)
    for a in range(ORDER):
        near[a : a + basis.intervals] |= told
    probe[index, index % width] = near
    columns = solve_band(solved.factor, probe)
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
    return np.where(told[basis.interval], np.maximum(variance, 0.0), np.inf)


def rate_variance_at(
    basis: Basis, solved: Solved, border: FloatArray, at: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """(k,) variance of the spline's slope at few of the basis' times, in two parts.

    Args:
        basis: the spline's basis at the N readings.
        solved: the last step.
        border: (n, nc) through which the constants act, all of them.
        at: (k,) indices of readings.

    Returns:
        What there would be if the constants were known, and what they add.
    """
    columns = np.zeros((basis.coefficients, len(at)), order="F")
    for j, i in enumerate(at):
        first = basis.interval[i]
        columns[first : first + ORDER, j] = basis.slope[:, i]
    answers = solve_band(solved.factor, columns)
    through = border.T @ answers
    own = np.sum(columns * answers, axis=0)
    added = np.sum(through * solve_small(solved.constants_precision, through), axis=0)
    return np.maximum(own, _LEAST_VARIANCE), np.maximum(added, 0.0)
