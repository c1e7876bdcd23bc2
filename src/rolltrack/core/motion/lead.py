"""A beginning for the final estimate where gravity's phase gives none.

Turned fast, a sensor off the axle feels more of its own circling than of gravity: at 3 cm from the
axle as much from 18 rad/s on. The force's phase then tells nothing of the angle. But no roller
starts so fast: followed from where it was slow, hop by hop, with the lever arm learnt there, the
angle is never lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.motion.batch import Lead, knot_spacing_s
from rolltrack.core.motion.window import SlidingWindow

if TYPE_CHECKING:
    from rolltrack.core.motion.batch import Constants
    from rolltrack.core.motion.normal import Readings
    from rolltrack.core.sample import FloatArray

_HOP_S = 0.06
_RECHECK = 5
"""Hops between looks whether the window has gone astray."""
_FIRST, _SPAN, _SETTLED = 6.0, 17.0, 6.0
"""In no-slip times: the first window, a full one, and when an angle in it no longer moves."""


def followed(t_s: FloatArray, readings: Readings, known: Constants) -> Lead:
    """Angle and constants by a window that slides over N readings.

    Args:
        t_s: (N,) strictly increasing.
        readings: what was measured at these times.
        known: the sensor's constants as far as they are known.

    Raises:
        numpy.linalg.LinAlgError: the window lost the roller.
    """
    tau_s = float(np.sqrt(readings.k_s2))
    spacing_s, settled_s = knot_spacing_s(tau_s), _SETTLED * tau_s
    window = SlidingWindow(known, readings.k_s2)
    angle = np.empty(len(t_s))
    hop = max(1, round(_HOP_S / readings.period_s))
    start = round(_FIRST * tau_s / readings.period_s)
    first, done, nothing = 0, 0, np.zeros(1, dtype=np.intp)
    for n, now in enumerate([*range(start, len(t_s), hop), len(t_s)]):
        part, seen = slice(first, now), readings.between(first, now)
        if window.track is None:
            window.begin(t_s[part], seen)
        glimpse = window.advance(t_s[part], seen, nothing)
        window.recover(t_s[part], seen, glimpse, look=n % _RECHECK == 0)
        track = window.track
        assert track is not None  # noqa: S101 - just advanced; for the type checker
        turned = track.angle_rad(t_s[part], spacing_s)
        if done > first:
            # A window that has begun anew counts its revolutions from another one.
            turns = (angle[done - 1] - turned[done - 1 - first]) / (2 * np.pi)
            turned += 2 * np.pi * np.rint(turns)
        until = now if now == len(t_s) else int(np.searchsorted(t_s, t_s[now - 1] - settled_s))
        if until > done:
            angle[done:until] = turned[done - first : until - first]
            done = until
        first += window.marginalise(t_s[part], seen, float(t_s[now - 1]) - _SPAN * tau_s)
    return Lead(angle, window.q)
