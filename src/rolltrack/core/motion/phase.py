"""Specific force in the plane of rotation -> gravity phase, without 2-pi slips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.sample import FloatArray

_DEMODULATION_WINDOW = 1.75
"""Averaging width in no-slip times; narrower lets impacts through, wider blurs reversals."""


def in_plane(accel_mps2: FloatArray, axle: FloatArray) -> NDArray[np.complex128]:
    """Components of the specific force across the axle, as complex numbers.

    Args:
        accel_mps2: (n, 3).
        axle: (3,) unit vector.

    Returns:
        (n,) f.e1 + i f.e2, where e1, e2, axle is a right-handed triple.
    """
    seed = np.zeros(3)
    seed[int(np.argmin(np.abs(axle)))] = 1.0
    e1 = np.cross(axle, seed)
    e1 /= np.linalg.norm(e1)
    e2 = np.cross(axle, e1)
    plane: NDArray[np.complex128] = accel_mps2 @ e1 + 1j * (accel_mps2 @ e2)
    return plane


def roller_phase(z: NDArray[np.complex128], period_s: float, tau_s: float) -> FloatArray:
    """Unwrapped phase of the roller as gravity shows it, radians.

    Gravity turns backwards in the roller's axes, hence the minus sign. Neighbouring readings are
    averaged with their magnitude as weight before the turn between them is taken, so that an
    impact, where the specific force nearly vanishes and its angle means nothing, cannot add or lose
    a revolution.
    """
    width = max(3, round(_DEMODULATION_WINDOW * tau_s / period_s))
    turn = _box(z[1:] * np.conj(z[:-1]), width)
    carrier = np.concatenate([[0.0], np.cumsum(np.angle(turn))])
    for narrowing in (width, max(3, width // 2)):
        carrier += np.unwrap(np.angle(_box(z * np.exp(-1j * carrier), narrowing)))
    return -(carrier + np.angle(z * np.exp(-1j * carrier)))


def _box(z: NDArray[np.complex128], width: int) -> NDArray[np.complex128]:
    smooth: NDArray[np.complex128] = uniform_filter1d(
        z.real, width, mode="nearest"
    ) + 1j * uniform_filter1d(z.imag, width, mode="nearest")
    return smooth
