"""How the roller really moves: strokes, pauses and holds as the turn about its axle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_sim.trace import FloatArray


@dataclass(frozen=True, slots=True)
class Stroke:
    """One pass along the tissue with minimum jerk, from rest to rest (Flash and Hogan 1985).

    Attributes:
        length_m: signed surface distance.
        mean_speed_mps: |length| divided by duration; the peak is 15/8 of it.
    """

    length_m: float
    mean_speed_mps: float

    @property
    def duration_s(self) -> float:
        """From rest to rest."""
        return abs(self.length_m) / self.mean_speed_mps


@dataclass(frozen=True, slots=True)
class Rest:
    """The roller stands still: a pause between strokes, or a hold on a tender spot."""

    duration_s: float


Segment: TypeAlias = Stroke | Rest


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The roller's motion at n instants.

    Attributes:
        t_s: (n,) time.
        angle_rad: (n,) turn about the axle since the start.
        rate_radps: (n,) its rate.
        accel_radps2: (n,) its acceleration.
        radius_m: rolling radius.
    """

    t_s: FloatArray
    angle_rad: FloatArray
    rate_radps: FloatArray
    accel_radps2: FloatArray
    radius_m: float

    @property
    def surface_speed_mps(self) -> FloatArray:
        """(n,) signed speed of the surface along the tissue."""
        return self.radius_m * self.rate_radps


def roll(segments: Sequence[Segment], *, radius_m: float, rate_hz: float) -> Truth:
    """Sample the segments one after the other, without slip, at an even rate."""
    duration_s = sum(segment.duration_s for segment in segments)
    t_s = np.arange(round(duration_s * rate_hz) + 1) / rate_hz
    angle, rate, accel = (np.zeros_like(t_s) for _ in range(3))
    start_s, turned_rad = 0.0, 0.0
    for segment in segments:
        end_s = start_s + segment.duration_s
        if isinstance(segment, Stroke):
            turn_rad = segment.length_m / radius_m
            during = (t_s >= start_s) & (t_s < end_s)
            u = (t_s[during] - start_s) / segment.duration_s
            angle[during] = turned_rad + turn_rad * u**3 * (10 - 15 * u + 6 * u**2)
            rate[during] = turn_rad / segment.duration_s * 30 * u**2 * (1 - u) ** 2
            accel[during] = turn_rad / segment.duration_s**2 * 60 * u * (1 - u) * (1 - 2 * u)
            turned_rad += turn_rad
            angle[t_s >= end_s] = turned_rad
        start_s = end_s
    return Truth(t_s, angle, rate, accel, radius_m)
