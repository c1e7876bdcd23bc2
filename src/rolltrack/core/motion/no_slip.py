"""Gravity phase -> roller angle, by undoing what rolling without slip does to the phase.

The phase obeys phi = theta - tau^2 theta'' (no-slip rolling on a horizontal floor, linear in tau^2
theta''). Its bounded inverse is theta = kernel * phi with kernel(t) = exp(-|t| / tau) / (2 tau).
The same convolution, for a phase that is linear between readings, is the solution of a tridiagonal
system whose coefficients are hyperbolic functions of the spacing: exact at the readings, for any
spacing, in O(n).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg.lapack import dptsv

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray


class Turning(NamedTuple):
    """How the roller turns, each (n,).

    Attributes:
        angle_rad: theta.
        rate_radps: theta'.
        rate_change_radps2: theta''.
    """

    angle_rad: FloatArray
    rate_radps: FloatArray
    rate_change_radps2: FloatArray


def undo_no_slip(t_s: FloatArray, phase_rad: FloatArray, tau_s: float) -> Turning:
    """Solve theta - tau^2 theta'' = phase.

    At both ends theta'' is taken as zero; the error this makes decays by e for every tau away from
    the end.

    Args:
        t_s: (n,) strictly increasing, n >= 3.
        phase_rad: (n,) unwrapped.
        tau_s: no-slip time sqrt(R/g).
    """
    step = np.diff(t_s) / tau_s
    sinh, tanh = np.sinh(step), np.tanh(step)
    coupling = 1.0 / sinh
    near, far = 1.0 / tanh - 1.0 / step, 1.0 / step - coupling

    inner = phase_rad[1:-1] * (near[:-1] + near[1:])
    inner += far[:-1] * phase_rad[:-2] + far[1:] * phase_rad[2:]
    inner[0] += coupling[0] * phase_rad[0]
    inner[-1] += coupling[-1] * phase_rad[-1]
    angle = phase_rad.copy()
    diagonal = 1.0 / tanh[:-1] + 1.0 / tanh[1:]
    # LAPACK itself: for the short windows of the live estimate, scipy's wrapper costs more than it.
    _, _, angle[1:-1], _ = dptsv(diagonal, -coupling[1:-1], inner)

    excess = angle - phase_rad
    slope = np.diff(phase_rad) / np.diff(t_s)
    rate = np.empty_like(angle)
    rate[:-1] = slope + (excess[1:] - excess[:-1] * np.cosh(step)) / (tau_s * sinh)
    rate[-1] = slope[-1] + (excess[-1] * np.cosh(step[-1]) - excess[-2]) / (tau_s * sinh[-1])
    return Turning(angle, rate, excess / tau_s**2)
