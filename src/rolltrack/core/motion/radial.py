"""The accelerometer's bias and lever arm, from what gravity's turning cannot explain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.sample import FloatArray, zeros

if TYPE_CHECKING:
    from rolltrack.core.motion.no_slip import Turning

_BIAS_SD_MPS2 = 0.4
_LEVER_SD_M = 0.05
_RESIDUAL_SD_MPS2 = 0.15
_INDEPENDENT_SHARE = 0.2
"""Vibration is coloured: of n neighbouring residuals about this share counts as independent."""
_LEVER_FROM_RADPS = 0.5
"""Slower than this, the lever arm's force drowns in noise and would be learnt wrongly."""


@dataclass(slots=True)
class RadialFit:
    """Normal equations of a linear fit, summed over a session.

    Along gravity's direction u the sensor reads g + b.u - w^2 p.u + w' (axle x p).u for a bias b
    and a lever arm p from the axle. Both are constant in the sensor's axes and u is not, so some
    arc of turning separates them from g and from each other.
    """

    matrix: FloatArray = field(default_factory=lambda: zeros(6, 6))
    load: FloatArray = field(default_factory=lambda: zeros(6))

    def learn(
        self,
        up: FloatArray,
        residual_mps2: FloatArray,
        turning: Turning,
        axle: FloatArray,
        part: slice,
    ) -> None:
        """Add readings.

        Args:
            up: (n, 3) gravity's direction u in the sensor's axes.
            residual_mps2: (n,) specific force along u, less g.
            turning: how the roller turned, n readings.
            axle: (3,) unit vector.
            part: which of the n readings to add; each reading once.
        """
        u, rate, change = up[part], turning.rate_radps[part], turning.rate_change_radps2[part]
        if not len(rate):
            return
        fast_enough = float(np.sqrt(np.mean(rate**2))) > _LEVER_FROM_RADPS
        lever = -(rate**2)[:, None] * u + change[:, None] * np.cross(u, axle)
        rows = np.hstack([u, lever * fast_enough])
        self.matrix += rows.T @ rows
        self.load += rows.T @ residual_mps2[part]

    def constants(self) -> tuple[FloatArray, FloatArray]:
        """(3,) bias in m/s2 and (3,) lever arm in m; zero until something was learnt."""
        weight = _INDEPENDENT_SHARE / _RESIDUAL_SD_MPS2**2
        prior = np.repeat([_BIAS_SD_MPS2**-2, _LEVER_SD_M**-2], 3)
        matrix = weight * self.matrix + np.diag(prior)
        found: FloatArray = np.asarray(np.linalg.solve(matrix, weight * self.load), dtype=float)
        return found[:3], found[3:]
