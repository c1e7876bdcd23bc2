"""Horizontal acceleration -> movement: the most likely one, with its error.

A linear Gaussian model on an even grid, solved as a whole: the second difference of place, plus an
error that wanders (what is left of gravity, the sensor's bias), is the acceleration measured; place
stays within reach, slowly forgotten; where nothing stirs, nothing moves. How much the error wanders
and how far the body moves on is what makes the readings likeliest (their marginal likelihood). The
unknowns, place and error alternating, make a banded system.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.ndimage import gaussian_filter1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.sample import BoolArray, FloatArray

    IntArray = NDArray[np.intp]

GRID_S = 0.05
_REACHES = (0.5, 1.6, 5.0, 30.0)
"""m2 s: variance of a place times how long it is kept; a person keeps within half a metre, for
about ten seconds, or moves on."""
_ERROR_MPS2, _ERROR_S = 0.3, 10.0
_WANDERS, _WANDERS_ACCEL_ONLY = (0.0015, 0.003, 0.006, 0.012, 0.024), (0.15,)
"""m/s2 per root second, of which the readings choose. Without a gyroscope all leaning is error: a
degree or two within a second."""
_QUIET_MPS2 = 0.012
_QUIET_S = 0.5
_STANDS_MPS = 0.005
_NOISE_S, _LEAST_NOISE_MPS2, _SLOW_SHARE = 1.0, 0.01, 0.15
_SD_EVERY = 10


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The movement of a stretch, in two horizontal axes.

    Attributes:
        t_s: (m,) an even grid.
        place_m: (m, 2) where the body is.
        accel_mps2: (m, 2) its acceleration, the wandering error taken off.
        quiet: (m,) where nothing stirs.
        factor: of the banded system, for errors.
    """

    t_s: FloatArray
    place_m: FloatArray
    accel_mps2: FloatArray
    quiet: BoolArray
    factor: FloatArray

    def difference_sd_m(self, first: IntArray, last: IntArray) -> FloatArray:
        """(k,) standard deviation of how far the body moved from one grid point to another."""
        k = len(first)
        columns, each = np.zeros((self.factor.shape[1], k)), np.arange(k)
        columns[2 * last, each] += 1.0
        columns[2 * first, each] -= 1.0
        answers = cho_solve_banded((self.factor, True), columns, check_finite=False)
        return np.asarray(np.sqrt(np.einsum("nk,nk->k", columns, answers)))

    def speed_sd_mps(self) -> FloatArray:
        """(m,) standard deviation of the speed along any direction."""
        m = len(self.t_s)
        at = np.unique(np.append(np.arange(1, m - 1, _SD_EVERY), m - 2))
        sd = self.difference_sd_m(at - 1, at + 1) / (2 * GRID_S)
        return np.asarray(np.interp(np.arange(m), at, sd))


def track(t_s: FloatArray, accel_mps2: FloatArray, *, gyroscope: bool) -> Track:
    """Find the movement.

    Args:
        t_s: (n,) times.
        accel_mps2: (n, 2) horizontal acceleration.
        gyroscope: whether leaning was taken off.
    """
    grid_s = np.arange(t_s[0], t_s[-1], GRID_S)
    twice = CubicSpline(t_s, accel_mps2).antiderivative(2)(grid_s)
    accel = (twice[2:] - 2 * twice[1:-1] + twice[:-2]) / GRID_S**2
    quiet = np.concatenate([[False], _quiet(accel), [False]])
    noise = _noise(accel)
    tries = itertools.product(_WANDERS if gyroscope else _WANDERS_ACCEL_ONLY, _REACHES)
    found = max(
        (_fit(accel, noise, quiet, wander, reach) for wander, reach in tries),
        key=lambda fit: fit.evidence,
    )
    smooth = gaussian_filter1d(accel, 2.0, axis=0) - found.unknowns[3:-2:2]
    smooth = np.pad(smooth, ((1, 1), (0, 0)), mode="edge")
    return Track(grid_s, found.unknowns[0::2], smooth, quiet, found.factor)


def _noise(accel: FloatArray) -> FloatArray:
    """(m,) from what is too quick for people, which is stronger than what it is like as slowly."""
    quick = accel - gaussian_filter1d(accel, 2.0, axis=0)
    power = gaussian_filter1d((quick**2).mean(axis=1), _NOISE_S / GRID_S)
    return np.asarray(np.sqrt(_SLOW_SHARE**2 * power + _LEAST_NOISE_MPS2**2))


def _quiet(accel: FloatArray) -> BoolArray:
    """(m,) where nothing stirs, slow leaning apart."""
    slow = gaussian_filter1d(accel, 0.15 / GRID_S, axis=0)
    change = slow - gaussian_filter1d(slow, 2.0 / GRID_S, axis=0)
    power = gaussian_filter1d((change**2).sum(axis=1), _QUIET_S / GRID_S)
    return np.asarray(np.sqrt(power) < _QUIET_MPS2)


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """One way to explain the readings, and the log of how likely they are that way."""

    unknowns: FloatArray
    factor: FloatArray
    evidence: float


def _fit(
    accel: FloatArray, noise: FloatArray, quiet: BoolArray, wander: float, reach: float
) -> _Fit:
    """Solve; unknown 2k is a place, 2k + 1 the error there."""
    before = _prior(quiet, wander, reach)
    band, pull = _with_readings(before, accel, noise)
    factor = cholesky_banded(band, lower=True, overwrite_ab=True, check_finite=False)
    unknowns = cho_solve_banded((factor, True), pull, check_finite=False)
    before = cholesky_banded(before, lower=True, overwrite_ab=True, check_finite=False)
    narrower = float(np.log(before[0]).sum() - np.log(factor[0]).sum())
    evidence = accel.shape[1] * narrower + 0.5 * float((pull * unknowns).sum())
    return _Fit(unknowns, factor, evidence)


def _prior(quiet: BoolArray, wander: float, reach: float) -> FloatArray:
    """(5, 2m) what is known before any reading."""
    m = len(quiet)
    band = np.zeros((5, 2 * m))
    band[0, 0::2] += GRID_S / reach
    band[0, 1::2] += GRID_S / _ERROR_S / _ERROR_MPS2**2
    steady = np.full(m - 1, 1 / (wander**2 * GRID_S))
    stands = np.where(quiet[1:] & quiet[:-1], 1 / (_STANDS_MPS**2 * GRID_S), 0.0)
    for first, stiffness in ((0, stands), (1, steady)):
        at = first + 2 * np.arange(m - 1)
        band[0, at] += stiffness
        band[0, at + 2] += stiffness
        band[2, at] -= stiffness
    return band


def _with_readings(
    prior: FloatArray, accel: FloatArray, noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The whole system: matrix and right-hand sides."""
    band, pull = prior.copy(), np.zeros((prior.shape[1], accel.shape[1]))
    weight, at = 1 / noise**2, 2 * np.arange(len(accel))
    row = {0: GRID_S**-2, 2: -2 * GRID_S**-2, 3: 1.0, 4: GRID_S**-2}
    for i, a in row.items():
        pull[at + i] += a * weight[:, None] * accel
        for j, b in row.items():
            if j >= i:
                band[j - i, at + i] += a * b * weight
    return band, pull
