"""The roller is in somebody's hands: it moves and turns freely and nothing rolls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from firmware_sim.kinematics import Carry, spans
from firmware_sim.motion import angular_rate_of, derivative
from firmware_sim.noise import band_noise, ease

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_sim.kinematics import Segment
    from firmware_sim.motion import BodyMotion
    from firmware_sim.trace import FloatArray

_BAND_HZ = (0.1, 0.8)
"""Hands move at walking pace: about half a metre a second."""
_LIFT_S = 0.6
"""From the floor into full movement, and back."""


def pick_up(
    motion: BodyMotion,
    segments: Sequence[Segment],
    t_s: FloatArray,
    dice: np.random.Generator,
) -> BodyMotion:
    """Replace rolling by free movement in every `Carry`, smooth at both ends."""
    for segment, (_, during) in zip(segments, spans(segments, t_s), strict=True):
        if isinstance(segment, Carry):
            motion = _carry(motion, segment, during, dice)
    return motion


def _carry(
    motion: BodyMotion, carry: Carry, during: slice, dice: np.random.Generator
) -> BodyMotion:
    n, rate_hz = during.stop - during.start, motion.rate_hz
    window = ease(n, round(_LIFT_S * rate_hz))[:, None]
    place = window * carry.reach_m * band_noise(n, rate_hz, _BAND_HZ, dice, 3)
    lean = window * carry.lean_rad * band_noise(n, rate_hz, _BAND_HZ, dice, 3)
    to_world = Rotation.from_rotvec(lean).as_matrix() @ motion.to_world[during]
    rate = angular_rate_of(to_world, rate_hz)
    rolling = motion.rolling.copy()
    rolling[during] = False
    return replace(
        motion,
        to_world=_with(motion.to_world, during, to_world),
        accel_mps2=_with(
            motion.accel_mps2, during, derivative(derivative(place, rate_hz), rate_hz)
        ),
        rate_radps=_with(motion.rate_radps, during, rate),
        rate_change_radps2=_with(motion.rate_change_radps2, during, derivative(rate, rate_hz)),
        speed_mps=_with(motion.speed_mps, during, np.zeros(n)),
        rolling=rolling,
    )


def _with(whole: FloatArray, during: slice, part: FloatArray) -> FloatArray:
    changed = whole.copy()
    changed[during] = part
    return changed
