"""How far from the axle the sensor sits, told by the radial part of the specific force alone.

Solved together with the motion, a lever arm is driven off by vibration: the estimated w' absorbs
it, and so the tangential residuals correlate with the lever arm's own columns (errors in
variables). Along gravity the angle absorbs nothing, and there the lever arm stands out by its
centripetal force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.motion.noise import box

if TYPE_CHECKING:
    from rolltrack.core.motion.normal import Predicted, Readings
    from rolltrack.core.motion.phase import ComplexArray
    from rolltrack.core.sample import FloatArray

BIAS, LEVER = slice(0, 2), slice(2, 4)
"""Where bias and lever arm stand among the constants."""
_ACCEL_CONSTANTS = 7
_FROM_RADPS = 0.5
_WINDOW_S = 1.5
"""Where the roller hardly turned over this long, noise in w' would only make false knowledge."""


def lever_columns(model: Predicted) -> FloatArray:
    """(2, 2, N) what the lever arm's two components do to both components of the specific force."""
    return np.array([_parts(model.lever), _parts(1j * model.lever)])


def radial_lever_columns(model: Predicted, period_s: float) -> FloatArray:
    """(2, 2, N) the same, but only what lies along gravity, where the roller turned enough.

    With them lever arm and bias can be unknowns of one system with the motion, and what is not
    known of one counts as not known of the other.
    """
    lever = _lever_along_gravity(model, period_s)
    along = np.exp(1j * model.angle)
    return np.array([_parts(lever.real * along), _parts(-lever.imag * along)])


def _lever_along_gravity(model: Predicted, period_s: float) -> ComplexArray:
    """(N,) the real part belongs to the lever arm's real part, the imaginary one, negative, to its.

    Zero where the roller hardly turned.
    """
    enough = box(model.rate**2, round(_WINDOW_S / period_s)) > _FROM_RADPS**2
    return np.asarray(np.where(enough, model.lever * np.exp(-1j * model.angle), 0.0))


def _parts(values: ComplexArray) -> FloatArray:
    return np.array([values.real, values.imag])


def radial_equations(
    model: Predicted, readings: Readings, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Normal equations (7, 7) and (7,) of the accelerometer's constants, from N readings.

    Args:
        model: the motion as estimated so far.
        readings: what was measured.
        weight: (N,) inverse variances.
    """
    towards = np.exp(-1j * model.angle)
    lever = _lever_along_gravity(model, readings.period_s)
    mirrored = model.gravity.conj() * towards
    gravity = np.full(len(towards), G_MPS2)
    columns = np.array(
        [
            towards.real,
            -towards.imag,
            lever.real,
            -lever.imag,
            gravity,
            mirrored.real,
            -mirrored.imag,
        ]
    )
    residual = ((readings.z - model.gravity) * towards).real
    weighted = columns * weight
    return weighted @ columns.T, weighted @ residual


def lever_information(
    matrix: FloatArray, load: FloatArray, known_mean: FloatArray, known_precision: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What radial equations tell about the lever arm, the other constants being unknown too.

    Args:
        matrix: (7, 7) as `radial_equations` gives it, or a sum of such.
        load: (7,) the same.
        known_mean: (nc,) the constants as known before; used for the other ones.
        known_precision: (nc, nc) their inverse covariance.

    Returns:
        Precision (2, 2) and precision times lever arm (2,).
    """
    matrix, load = matrix.copy(), load.copy()
    others = np.array([0, 1, 4, 5, 6])
    rest = np.ix_(others, others)
    known = known_precision[:_ACCEL_CONSTANTS, :_ACCEL_CONSTANTS][rest]
    matrix[rest] += known
    load[others] += known @ known_mean[others]
    explained = np.linalg.solve(
        matrix[rest], np.column_stack([matrix[others, LEVER], load[others]])
    )
    coupling = matrix[LEVER, others]
    precision = matrix[LEVER, LEVER] - coupling @ explained[:, :2]
    return precision, load[LEVER] - coupling @ explained[:, 2]
