"""A hold is not quite still: the body sways and rocks the roller to and fro."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firmware_sim.kinematics import Rest, spans
from firmware_sim.motion import derivative
from firmware_sim.noise import band_noise, ease

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from firmware_sim.kinematics import Segment, Truth

_BAND_HZ = (0.3, 4.0)
_EASE_S = 0.5


def rock(
    truth: Truth, segments: Sequence[Segment], rate_hz: float, dice: np.random.Generator
) -> Truth:
    """Add true rolling of the given speed to every rest that has some."""
    angle, rate, accel = truth.angle_rad.copy(), truth.rate_radps.copy(), truth.accel_radps2.copy()
    for segment, (_, during) in zip(segments, spans(segments, truth.t_s), strict=True):
        n = during.stop - during.start
        if not isinstance(segment, Rest) or not segment.rocking_mps or not n:
            continue
        place = ease(n, round(_EASE_S * rate_hz)) * band_noise(n, rate_hz, _BAND_HZ, dice, 1)[:, 0]
        speed = derivative(place, rate_hz)
        scale = segment.rocking_mps / truth.radius_m / max(float(speed.std()), 1e-12)
        angle[during] += scale * place
        rate[during] += scale * speed
        accel[during] += scale * derivative(speed, rate_hz)
    return replace(truth, angle_rad=angle, rate_radps=rate, accel_radps2=accel)
