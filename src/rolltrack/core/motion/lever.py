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
    from rolltrack.core.sample import FloatArray

LEVER = slice(2, 4)
"""Where the lever arm stands among the constants."""
_ACCEL_CONSTANTS = 7
_FROM_RADPS = 0.5
_WINDOW_S = 1.5
"""Where the roller hardly turned over this long, noise in w' would only make false knowledge."""


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
    enough = box(model.rate**2, round(_WINDOW_S / readings.period_s)) > _FROM_RADPS**2
    lever = np.where(enough, model.lever * towards, 0.0)
    mirrored = model.gravity.conj() * towards
    gravity = np.full(len(towards), G_MPS2)
    columns = np.stack(
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
