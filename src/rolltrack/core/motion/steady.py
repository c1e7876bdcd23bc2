"""Gravity phase -> angle as a spline: no-slip equation and motion prior, solved together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.lapack import dpbsv

from rolltrack.core.motion.normal import Normal, assemble
from rolltrack.core.motion.spline import ORDER

if TYPE_CHECKING:
    from rolltrack.core.motion.spline import Basis
    from rolltrack.core.sample import FloatArray


def process_row(spacing_s: float, singer_s: float) -> FloatArray:
    """(4,) row that makes w'' + w'/T of four coefficients: white under Singer's model."""
    third = np.array([-1.0, 3.0, -3.0, 1.0]) / spacing_s**3
    second = np.array([0.5, -0.5, -0.5, 0.5]) / spacing_s**2
    row: FloatArray = third + second / singer_s
    return row


def prolonged(c: FloatArray, count: int, row: FloatArray) -> FloatArray:
    """(count, ...) coefficients, the new ones as the process prior expects them: row . c = 0."""
    tied = ORDER - 1
    longer = np.empty((count, *c.shape[1:]))
    longer[: len(c)] = c
    for i in range(len(c), count):
        longer[i] = -(row[:tied] @ longer[i - tied : i]) / row[tied]
    return longer


def process_weight(
    basis: Basis, t_s: FloatArray, change_sd: FloatArray, singer_s: float
) -> FloatArray:
    """(intervals,) inverse variance of the process row, from the sd of w' (N,) at the readings."""
    middle_s = basis.start_s + basis.spacing_s * (np.arange(basis.intervals) + 0.5)
    sd = np.interp(middle_s, t_s, change_sd)
    weight: FloatArray = basis.spacing_s * singer_s / (2.0 * sd**2)
    return weight


def solve_phase(
    basis: Basis,
    phase_rad: FloatArray,
    phase_sd_rad: FloatArray,
    k_s2: float,
    singer_s: float,
    prior_weight: FloatArray,
) -> FloatArray:
    """(n,) coefficients of theta that best explain phase = theta - k theta''.

    Args:
        basis: the spline's basis at the N readings.
        phase_rad: (N,) unwrapped.
        phase_sd_rad: (N,) how far to trust it.
        k_s2: R / g.
        singer_s: memory of the motion's w'.
        prior_weight: (intervals,) inverse variance of the process row.
    """
    weight = 1.0 / phase_sd_rad
    rows = weight * (basis.value - k_s2 * basis.bend)
    products = rows[:, np.newaxis] * np.concatenate([rows, (weight * phase_rad)[np.newaxis]])
    normal = Normal(basis.per_interval(products), np.zeros((0, 0)), np.zeros(0))
    row = process_row(basis.spacing_s, singer_s)
    system = assemble(normal, np.zeros(basis.coefficients), row, prior_weight)
    # LAPACK itself: for the short windows of the live estimate, scipy's wrapper costs more than it.
    _, answer, fault = dpbsv(system.band, system.pull, lower=1)
    if fault:
        raise np.linalg.LinAlgError("the phase says nothing about some stretch of the motion")
    return np.asarray(answer)
