"""A free ball: it rolls in changing directions, without slip, and may spin about the vertical."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from firmware_sim.motion import BodyMotion, derivative
from firmware_sim.noise import band_noise, ease
from firmware_sim.steps import RestStep, WanderStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_sim.trace import FloatArray

_SPIN_BAND_HZ = (0.05, 1.0)
_EASE_S = 0.6
_PACE_HZ = 0.04
"""The pace comes and goes twice as often, from a twentieth of the full one up to it."""


def rolling_ball(
    steps: Sequence[RestStep | WanderStep],
    *,
    radius_m: float,
    rate_hz: float,
    dice: np.random.Generator,
) -> BodyMotion:
    """Wander about on the floor and rest.

    Returns:
        The motion; its speed is never negative, since a ball has no direction +1.
    """
    courses = [_course(step, rate_hz, dice) for step in steps]
    course = np.concatenate([*courses, np.zeros((1, 3))])
    n, velocity, spin = len(course), course[:, :2], course[:, 2]
    # Without slip the lowest point rests: v = omega x R z.
    turn = np.column_stack([-velocity[:, 1] / radius_m, velocity[:, 0] / radius_m, spin])
    to_world = _orientation(turn, rate_hz, Rotation.random(rng=dice))
    rate = np.einsum("nji,nj->ni", to_world, turn)
    accel = np.zeros((n, 3))
    accel[:, :2] = derivative(velocity, rate_hz)
    return BodyMotion(
        rate_hz=rate_hz,
        to_world=to_world,
        accel_mps2=accel,
        rate_radps=rate,
        rate_change_radps2=derivative(rate, rate_hz),
        up=np.array([0.0, 0.0, 1.0]),
        speed_mps=np.linalg.norm(velocity, axis=1),
        rolling=np.ones(n, dtype=bool),
    )


def _course(step: RestStep | WanderStep, rate_hz: float, dice: np.random.Generator) -> FloatArray:
    """(n, 3) velocity along x and y, and spin about the vertical, from rest to rest."""
    n = round(step.duration_s * rate_hz)
    course = np.zeros((n, 3))
    if isinstance(step, RestStep):
        return course
    pace = 0.05 + 0.95 * np.sin(2 * np.pi * _PACE_HZ * np.arange(n) / rate_hz) ** 2
    window = ease(n, round(_EASE_S * rate_hz)) * pace
    velocity = window[:, None] * band_noise(n, rate_hz, step.band_hz, dice, 2)
    spin = window * band_noise(n, rate_hz, _SPIN_BAND_HZ, dice, 1)[:, 0]
    course[:, :2] = velocity * step.mean_speed_mps / np.linalg.norm(velocity, axis=1).mean()
    course[:, 2] = spin * step.spin_radps / spin.std()
    return course


def _orientation(turn_radps: FloatArray, rate_hz: float, start: Rotation) -> FloatArray:
    """(n, 3, 3) integral of an angular rate (n, 3) in world axes, by the mean of each step.

    The product of all steps up to each instant, within blocks first and then from block to block:
    some hundred matrix products over many blocks at once, instead of n one after the other.
    """
    n = len(turn_radps)
    width = int(np.ceil(np.sqrt(n)))
    steps = np.zeros((width * width, 3))
    steps[1:n] = (turn_radps[1:] + turn_radps[:-1]) / (2 * rate_hz)
    turns = Rotation.from_rotvec(steps).as_matrix().reshape(width, width, 3, 3)
    for i in range(1, width):
        turns[:, i] = turns[:, i] @ turns[:, i - 1]
    before = start.as_matrix()
    for block in turns:
        block[:] = block @ before
        before = block[-1].copy()
    return np.asarray(turns.reshape(-1, 3, 3)[:n])
