"""How the roller really moves: strokes, pauses, holds and carries as the turn about its axle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_sim.trace import FloatArray


class SubMovement(NamedTuple):
    """One minimum-jerk push out of which a stroke is made (Flash and Hogan 1985).

    Attributes:
        start: when it begins, as share of the stroke's time.
        duration: as share of the stroke's time.
        length: as share of the stroke's length.
    """

    start: float
    duration: float
    length: float


ONE_PUSH = (SubMovement(0.0, 1.0, 1.0),)


@dataclass(frozen=True, slots=True)
class Stroke:
    """One pass along the tissue, from rest to rest.

    Attributes:
        length_m: signed surface distance.
        mean_speed_mps: |length| divided by duration; a single push peaks at 15/8 of it.
        pushes: what it is made of; their lengths add up to 1.
    """

    length_m: float
    mean_speed_mps: float
    pushes: tuple[SubMovement, ...] = ONE_PUSH

    @property
    def duration_s(self) -> float:
        """From rest to rest."""
        return abs(self.length_m) / self.mean_speed_mps


@dataclass(frozen=True, slots=True)
class Rest:
    """The roller stands still.

    Attributes:
        duration_s: how long.
        rocking_mps: standard deviation of the speed at which a held body rocks the roller.
    """

    duration_s: float
    rocking_mps: float = 0.0


@dataclass(frozen=True, slots=True)
class Carry:
    """The roller is picked up, moved freely and put down again.

    Attributes:
        duration_s: from leaving the floor to touching it again.
        turn_rad: how far it has been turned about its axle meanwhile.
        reach_m: standard deviation of its place.
        lean_rad: standard deviation of its orientation about each axis.
    """

    duration_s: float
    turn_rad: float
    reach_m: float
    lean_rad: float


Segment: TypeAlias = Stroke | Rest | Carry


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
    """Sample the turn about the axle, one segment after the other, at an even rate."""
    duration_s = sum(segment.duration_s for segment in segments)
    t_s = np.arange(round(duration_s * rate_hz) + 1) / rate_hz
    angle, rate, accel = (np.zeros_like(t_s) for _ in range(3))
    turned_rad = 0.0
    for segment, (start_s, during) in zip(segments, spans(segments, t_s), strict=True):
        turn_rad, pushes = _turn(segment, radius_m)
        angle[during] = turned_rad
        for push in pushes:
            u = (t_s[during] - start_s) / segment.duration_s
            _push(push, u, turn_rad, segment.duration_s, angle[during], rate[during], accel[during])
        turned_rad += turn_rad
        angle[during.stop :] = turned_rad
    return Truth(t_s, angle, rate, accel, radius_m)


def spans(segments: Sequence[Segment], t_s: FloatArray) -> list[tuple[float, slice]]:
    """When each segment starts, and which instants belong to it."""
    found, start_s = [], 0.0
    for segment in segments:
        end_s = start_s + segment.duration_s
        first, stop = np.searchsorted(t_s, [start_s, end_s])
        found.append((start_s, slice(int(first), int(stop))))
        start_s = end_s
    return found


def _turn(segment: Segment, radius_m: float) -> tuple[float, tuple[SubMovement, ...]]:
    """How far the roller is turned about its axle, and by which pushes."""
    if isinstance(segment, Stroke):
        return segment.length_m / radius_m, segment.pushes
    if isinstance(segment, Carry):
        return segment.turn_rad, ONE_PUSH
    return 0.0, ()


def _push(
    push: SubMovement,
    u: FloatArray,
    turn_rad: float,
    duration_s: float,
    angle: FloatArray,
    rate: FloatArray,
    accel: FloatArray,
) -> None:
    """Add one push to the turn of a stroke; u is the share of the stroke's time gone by."""
    u = np.clip((u - push.start) / push.duration, 0.0, 1.0)
    turn_rad, duration_s = push.length * turn_rad, push.duration * duration_s
    angle += turn_rad * u**3 * (10 - 15 * u + 6 * u**2)
    rate += turn_rad / duration_s * 30 * u**2 * (1 - u) ** 2
    accel += turn_rad / duration_s**2 * 60 * u * (1 - u) * (1 - 2 * u)
