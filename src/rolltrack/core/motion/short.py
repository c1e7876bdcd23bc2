"""What numpy does too, for the few hundred numbers of a live window: there its checks cost most."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.linalg.lapack import dgesv

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
