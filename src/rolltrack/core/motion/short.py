"""What numpy does too, for few numbers: there its checks cost most."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.linalg.lapack import dgesv, dsyev

if TYPE_CHECKING:
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.sample import FloatArray

Values = TypeVar("Values", "FloatArray", "ComplexArray")


def median(values: FloatArray) -> float:
    """Of n >= 1 numbers."""
    middle = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, middle)[middle])
    below, above = np.partition(values, (middle - 1, middle))[middle - 1 : middle + 1]
    return float(below + above) / 2


def gradient(values: Values, spacing: float) -> Values:
    """(n,) central differences of values (n,), n >= 2; at the ends, of the last two."""
    slopes = np.empty_like(values)
    slopes[1:-1] = (values[2:] - values[:-2]) / (2 * spacing)
    slopes[0] = (values[1] - values[0]) / spacing
    slopes[-1] = (values[-1] - values[-2]) / spacing
    return slopes


def solve_small(matrix: FloatArray, sides: FloatArray) -> FloatArray:
    """The solution for right-hand sides (n,) or (n, m).

    Raises:
        numpy.linalg.LinAlgError: the matrix is singular.
    """
    *_, answers, fault = dgesv(matrix, sides)
    if fault:
        raise np.linalg.LinAlgError("singular matrix")
    return np.asarray(answers)


def axes_of(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues (n,), ascending, and eigenvectors (n, n), in columns, of a symmetric matrix.

    Raises:
        numpy.linalg.LinAlgError: it has none, as with NaN.
    """
    powers, axes, fault = dsyev(matrix)
    if fault:
        raise np.linalg.LinAlgError("a matrix without axes")
    return np.asarray(powers), np.asarray(axes)


def covariance(vectors: FloatArray) -> FloatArray:
    """(3, 3) of vectors (n, 3), n >= 2."""
    off = vectors - np.add.reduce(vectors) / len(vectors)
    return np.asarray(off.T @ off / (len(vectors) - 1))


def dots(a: FloatArray, b: FloatArray) -> FloatArray:
    """(N,) scalar products of vectors (3, N)."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """(3,) a x b."""
    (a1, a2, a3), (b1, b2, b3) = a.tolist(), b.tolist()
    return np.array([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1])
