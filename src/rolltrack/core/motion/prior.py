"""What is left of readings that are gone: a Gaussian over what still depends on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.batch import Constants
from rolltrack.core.motion.lever import BIAS
from rolltrack.core.motion.normal import Bordered
from rolltrack.core.motion.spline import ORDER

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

TIED = ORDER - 1
"""Coefficients that a knot interval shares with the one before."""
_COLUMN, _BELOW = np.nonzero(np.arange(TIED)[:, np.newaxis] + np.arange(TIED) < TIED)
_BIAS = slice(TIED + BIAS.start, TIED + BIAS.stop)
_LOOSENED = 1.02
"""The coefficients' deviation grows by this, for what linearising has cost."""
_FURTHEST = 8.0
"""Constants stay within this many standard deviations of what sensors have."""


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """A Gaussian over the first three coefficients of a stretch and the constants.

    Attributes:
        mean: (3 + nc,).
        precision: (3 + nc, 3 + nc) inverse covariance.
    """

    mean: FloatArray
    precision: FloatArray

    @classmethod
    def of(cls, known: Constants) -> Prior:
        """Nothing is known of the coefficients."""
        mean = np.concatenate([np.zeros(TIED), known.mean])
        precision = np.zeros((len(mean), len(mean)))
        precision[TIED:, TIED:] = known.precision
        return cls(mean, precision)

    def constants(self) -> Constants:
        """What it says about the constants, whatever the coefficients are."""
        tied, crossed = self.precision[:TIED, :TIED], self.precision[:TIED, TIED:]
        precision = self.precision[TIED:, TIED:] - crossed.T @ np.linalg.pinv(tied) @ crossed
        return Constants(self.mean[TIED:].copy(), (precision + precision.T) / 2)

    def with_bias_shifted(self, by_mps2: FloatArray) -> Prior:
        """The same, but for a bias that is (2,) more, give or take as much."""
        shift = np.zeros(len(self.mean))
        shift[_BIAS] = by_mps2
        told = self.precision @ shift
        # Sherman and Morrison: the covariance grows by the shift's outer product.
        precision = self.precision - np.outer(told, told) / (1.0 + shift @ told)
        return Prior(self.mean + shift, precision)

    def added_to(self, system: Bordered, c: FloatArray, q: FloatArray) -> Bordered:
        """Normal equations of a stretch that begins with these coefficients.

        Args:
            system: normal equations, linearised at c and q.
            c: (n,) coefficients.
            q: (nc,) constants.
        """
        pull = self.precision @ (self.mean - np.concatenate([c[:TIED], q]))
        band, border, pulls = system.band.copy(), system.border.copy("K"), system.pull.copy()
        pulls[:TIED] += pull[:TIED]
        border[:TIED] += self.precision[:TIED, TIED:]
        band[_BELOW, _COLUMN] += self.precision[_COLUMN + _BELOW, _COLUMN]
        constants = system.constants + self.precision[TIED:, TIED:]
        return Bordered(band, border, pulls, constants, system.constants_pull + pull[TIED:])

    def loosened(self, grown: float, widest: FloatArray) -> Prior:
        """Constants may drift, but are never less known than those of sensors at large.

        Args:
            grown: factor of the constants' standard deviations.
            widest: (nc,) those of sensors at large.
        """
        covariance = np.linalg.inv(self.precision)
        sd = np.sqrt(np.diag(covariance)[TIED:])
        factor = np.full(len(self.mean), _LOOSENED)
        factor[TIED:] = np.minimum(grown, widest / sd)
        precision = np.linalg.inv(covariance * np.outer(factor, factor))
        mean = self.mean.copy()
        mean[TIED:] = within(mean[TIED:], widest)
        return Prior(mean, (precision + precision.T) / 2)


def within(q: FloatArray, widest: FloatArray) -> FloatArray:
    """(nc,) constants no further off than sensors can be, whose deviations are `widest`."""
    return np.minimum(np.maximum(q, -_FURTHEST * widest), _FURTHEST * widest)


def eliminated(system: Bordered, c: FloatArray, q: FloatArray, m: int) -> Prior:
    """What a stretch of m + 3 coefficients says about the last three and the constants.

    Args:
        system: its normal equations, linearised at c and q, the prior included.
        c: coefficients, the stretch's first.
        q: (nc,) constants.
        m: how many coefficients are eliminated, by a Schur complement.

    Raises:
        numpy.linalg.LinAlgError: the system does not determine them.
    """
    n, nc = m + TIED, len(q)
    matrix = np.zeros((n + nc, n + nc))
    for below in range(ORDER):
        at = np.arange(n - below)
        matrix[at + below, at] = matrix[at, at + below] = system.band[below, : n - below]
    matrix[:n, n:] = system.border
    matrix[n:, :n] = system.border.T
    matrix[n:, n:] = system.constants
    pull = np.concatenate([system.pull, system.constants_pull])
    gone = np.linalg.solve(matrix[:m, :m], np.column_stack([matrix[:m, m:], pull[:m]]))
    precision = matrix[m:, m:] - matrix[m:, :m] @ gone[:, :-1]
    left = pull[m:] - matrix[m:, :m] @ gone[:, -1]
    precision = (precision + precision.T) / 2
    now = np.concatenate([c[m:n], q])
    return Prior(now + np.linalg.solve(precision, left), precision)
