"""What a scenario lets somebody do, and the segments the dice make of it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import msgspec
import numpy as np

from firmware_sim.kinematics import ONE_PUSH, Carry, Rest, Segment, Stroke, SubMovement
from firmware_sim.limits import Hertz, NotNegative, Positive, check_band, check_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Length: TypeAlias = Annotated[float, msgspec.Meta(ge=0.005, le=10)]
Speed: TypeAlias = Annotated[float, msgspec.Meta(ge=1e-4, le=5)]

_PUSH_EVERY_S = (0.35, 0.6)
"""Slow movements are made of sub-movements at 2 to 3 a second (Doeringer and Hogan 1998)."""
_HALF = 0.5
_LEAST_ROCKING_S = 1.0
_LEAST_TURNS = 2.0


class RollStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="roll"):
    """Strokes to and fro; each number is drawn between two limits.

    Attributes:
        strokes: how many; directions alternate through the whole scenario.
        length_m: of one stroke.
        mean_speed_mps: length divided by duration, from rest to rest.
        pause_s: standstill after each stroke.
        draw: speeds spread evenly between their limits, or evenly in their logarithm.
        style: "smooth" strokes are one minimum-jerk push; "measured" ones are made of overlapping
            pushes of unequal length, as people's are; "mixed" tosses a coin for each.
        longest_s: slow strokes are kept short enough to be over in this time.
        tempo_drift: how much faster the last stroke is than the first, as a share.
    """

    strokes: Annotated[int, msgspec.Meta(ge=1)]
    length_m: tuple[Length, Length]
    mean_speed_mps: tuple[Speed, Speed]
    pause_s: tuple[NotNegative, NotNegative] = (0.0, 0.0)
    draw: Literal["even", "log"] = "even"
    style: Literal["smooth", "measured", "mixed"] = "smooth"
    longest_s: Positive = inf
    tempo_drift: Annotated[float, msgspec.Meta(gt=-1, le=10)] = 0.0

    def __post_init__(self) -> None:
        """Refuse limits the wrong way round."""
        check_pairs(self, "length_m", "mean_speed_mps", "pause_s")

    @property
    def duration_s(self) -> float:
        """The longest it may take."""
        slowest_mps = self.mean_speed_mps[0] * min(1.0, 1.0 + self.tempo_drift)
        shortest_s, longest_s = (length_m / slowest_mps for length_m in self.length_m)
        stroke_s = max(shortest_s, min(longest_s, self.longest_s))
        return self.strokes * (stroke_s + self.pause_s[1])


class RestStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="rest"):
    """The roller stands still, as during a hold.

    Attributes:
        duration_s: how long.
        rocking_mps: standard deviation of the speed at which a held body rocks the roller.
    """

    duration_s: Positive
    rocking_mps: NotNegative = 0.0

    def __post_init__(self) -> None:
        """Refuse rocking that has no time for it."""
        if self.rocking_mps and self.duration_s < _LEAST_ROCKING_S:
            raise ValueError(f"`duration_s` must be {_LEAST_ROCKING_S:g} or more to rock in")


class CarryStep(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="carry"
):
    """The roller is picked up, moved about in the hands and put down at another angle.

    Attributes:
        duration_s: from leaving the floor to touching it again.
        reach_m: standard deviation of its place along each axis.
        lean_rad: standard deviation of its orientation about each axis.
        turn_rad: limit of the angle about the axle at which it comes down.
    """

    duration_s: Annotated[float, msgspec.Meta(ge=2, le=1e6)]
    reach_m: NotNegative = 0.15
    lean_rad: NotNegative = 0.5
    turn_rad: Annotated[float, msgspec.Meta(ge=0, le=7)] = 3.0


class WanderStep(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="wander"
):
    """A ball rolls about in changing directions.

    Attributes:
        duration_s: how long, from rest to rest.
        mean_speed_mps: mean of its speed's size.
        spin_radps: standard deviation of its turn about the vertical.
        band_hz: how often direction and pace change.
    """

    duration_s: Annotated[float, msgspec.Meta(ge=3, le=1e6)]
    mean_speed_mps: Speed
    spin_radps: NotNegative = 0.0
    band_hz: tuple[Hertz, Hertz] = (0.1, 1.0)

    def __post_init__(self) -> None:
        """Refuse a band too narrow for the time there is."""
        check_band(self)
        if self.duration_s * (self.band_hz[1] - self.band_hz[0]) < _LEAST_TURNS:
            raise ValueError("`duration_s` is too short for so narrow a `band_hz`; widen it")


Step: TypeAlias = RollStep | RestStep | CarryStep | WanderStep


def segments(
    steps: Sequence[RollStep | RestStep | CarryStep], dice: np.random.Generator
) -> Iterator[Segment]:
    """Throw the dice for the steps of a roller, one after the other."""
    direction = 1
    for step in steps:
        if isinstance(step, RestStep):
            yield Rest(step.duration_s, step.rocking_mps)
        elif isinstance(step, CarryStep):
            turn_rad = dice.uniform(-step.turn_rad, step.turn_rad)
            yield Carry(step.duration_s, turn_rad, step.reach_m, step.lean_rad)
        else:
            for i in range(step.strokes):
                yield _stroke(step, i, direction, dice)
                yield Rest(dice.uniform(*step.pause_s))
                direction = -direction


def _stroke(step: RollStep, i: int, direction: int, dice: np.random.Generator) -> Stroke:
    length_m = dice.uniform(*step.length_m)
    if step.draw == "log":
        speed_mps = float(np.exp(dice.uniform(*np.log(step.mean_speed_mps))))
    else:
        speed_mps = dice.uniform(*step.mean_speed_mps)
    speed_mps *= 1.0 + step.tempo_drift * i / max(1, step.strokes - 1)
    length_m = max(step.length_m[0], min(length_m, speed_mps * step.longest_s))
    measured = step.style == "measured" or (step.style == "mixed" and dice.uniform() < _HALF)
    pushes = _pushes(length_m / speed_mps, dice) if measured else ONE_PUSH
    return Stroke(direction * length_m, speed_mps, pushes)


def _pushes(duration_s: float, dice: np.random.Generator) -> tuple[SubMovement, ...]:
    """Overlapping pushes of unequal length, each beginning about halfway through the one before."""
    count = max(1, round(duration_s / dice.uniform(*_PUSH_EVERY_S)) - 1)
    durations = dice.uniform(0.8, 1.2, count)
    starts = np.concatenate([[0.0], np.cumsum(durations[:-1] / 2)])
    whole = float((starts + durations).max())
    lengths = dice.uniform(0.7, 1.3, count) * durations
    lengths /= lengths.sum()
    return tuple(
        SubMovement(float(start) / whole, float(duration) / whole, float(length))
        for start, duration, length in zip(starts, durations, lengths, strict=True)
    )
