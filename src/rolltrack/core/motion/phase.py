"""Specific force in the plane of rotation -> gravity phase, without 2-pi slips."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from rolltrack.core.motion.short import cross

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

ComplexArray: TypeAlias = NDArray[np.complex128]

DEMODULATION_WINDOW = 1.75
"""Averaging width in no-slip times; narrower lets impacts through, wider blurs reversals."""


def plane_across(axle: FloatArray) -> FloatArray:
    """(3, 2) unit vectors e1, e2 as columns, such that e2, e1, axle is a right-handed triple.

    Gravity turns backwards in the roller's axes. Looked at from this side of the plane, its phase
    runs with the roller.
    """
    least = int(np.argmin(np.abs(axle)))
    e1 = -axle[least] * axle
    e1[least] += 1.0
    e1 /= np.sqrt(e1 @ e1)
    return np.column_stack([e1, cross(e1, axle)])


def in_plane(vectors: FloatArray, plane: FloatArray) -> ComplexArray:
    """Components v.e1 + i v.e2 of vectors (..., 3)."""
    parts = vectors @ plane
    across: ComplexArray = parts[..., 0] + 1j * parts[..., 1]
    return across


def roller_phase(z: ComplexArray, period_s: float, tau_s: float) -> FloatArray:
    """Unwrapped phase of the roller as gravity shows it, radians.

    Neighbouring readings are averaged with their magnitude as weight before the turn between them
    is taken, so that an impact, where the specific force nearly vanishes and its angle means
    nothing, cannot add or lose a revolution.
    """
    width = max(3, round(DEMODULATION_WINDOW * tau_s / period_s))
    turn = _box(z[1:] * z[:-1].conj(), width)
    carrier = np.concatenate([[0.0], np.cumsum(np.angle(turn))])
    for narrowing in (width, max(3, width // 2)):
        carrier += _unwrapped(np.angle(_box(z * np.exp(-1j * carrier), narrowing)))
    phase: FloatArray = carrier + np.angle(z * np.exp(-1j * carrier))
    return phase


def _unwrapped(angle: FloatArray) -> FloatArray:
    """Without jumps of more than half a turn: np.unwrap for one dimension, and faster."""
    turns = np.cumsum(np.rint(np.diff(angle) / (2 * np.pi)))
    angle[1:] -= 2 * np.pi * turns
    return angle


def _box(z: ComplexArray, width: int) -> ComplexArray:
    """Moving sum; only its angle is used, so at the ends it may simply have fewer terms."""
    parts = np.ascontiguousarray(z).view(np.float64).reshape(-1, 2)
    total = uniform_filter1d(parts, width, axis=0, output=float, mode="constant", cval=0.0)
    smooth: ComplexArray = total.view(np.complex128)[:, 0]
    return smooth
