"""The effective rolling radius, from a roll over a distance that was measured.

Gravity's revolutions are counted, so the angle turned is exact; the radius is distance over angle.
The accelerometer alone cannot tell it: how well the rolling model explains a recording hardly
depends on the radius assumed (docs/how-speed-is-measured.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.events import SessionEnded
from rolltrack.core.intake import usable
from rolltrack.core.motion.radius import is_radius
from rolltrack.core.motion.rest import Activity, RestDetector
from rolltrack.core.sample import ImuSamples
from rolltrack.core.tracker import BEAT_S, Tracker
from rolltrack.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rolltrack.core.sample import SignalGap
    from rolltrack.core.setup import Setup
    from rolltrack.core.strokes.stroke import Stroke

_ROUNDS = 5
_SETTLED = 1e-4
_LIKELY = 0.5
"""Strokes shorter than this share of the longest are the roller being put in place."""
_ALIKE = 0.05
_LEAST_RAD = 2 * np.pi
_STILL_S = 2.0
"""A pause this long ends the roll."""
PATIENCE_S = 90.0
"""So long a roll may take, the way to the first mark included."""
_PLAUSIBLE = 2.0
GYRO_SCALE_SD = 0.01
"""Of a gyroscope's scale that nothing corrects: real ones are 0.4 to 1.6 % off."""


class CalibrationError(InputError):
    """The roll does not tell the radius."""


class TooShortError(CalibrationError):
    """The roller has hardly turned."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the roll says.

    Attributes:
        radius_m: effective rolling radius.
        radius_sd_m: its standard deviation.
        angle_rad: turned per pass, on average.
        distance_m: measured by the person, per pass.
        passes: how many.
        assumed_m: the radius the recording claimed before.
    """

    radius_m: float
    radius_sd_m: float
    angle_rad: float
    distance_m: float
    passes: int
    assumed_m: float


def find_radius(
    strokes_at: Callable[[float], Sequence[Stroke]],
    distance_m: float,
    *,
    assumed_m: float,
    passes: int = 1,
    distance_sd_m: float = 0.005,
    scale_sd: float = 0.0,
) -> Calibration:
    """Find the effective radius.

    Args:
        strokes_at: the strokes of the roll, if the radius were this.
        distance_m: how far the roller's middle moved in each pass.
        assumed_m: the radius to begin with.
        passes: how many there are.
        distance_sd_m: how well the distance is known.
        scale_sd: relative error of the angle that a roll does not show, of a gyroscope alone.

    Raises:
        CalibrationError: these are not the passes, or part of them could not be measured, or no
            roller has such a radius.
    """
    radius_m = assumed_m
    rolls: list[Stroke] = []
    for _ in range(_ROUNDS):
        # The no-slip time depends on the radius, so the angle does, a little.
        rolls = _passes(strokes_at(radius_m), passes)
        mean_m = float(np.mean([_length_m(roll) for roll in rolls]))
        before_m, radius_m = radius_m, radius_m * distance_m / mean_m
        if not is_radius(radius_m):
            raise CalibrationError(
                f"the roll says a radius of {1000 * radius_m:.0f} mm, which no roller has.",
                hint=f"Check the distance: it was given as {distance_m:g} m per pass.",
            )
        if abs(radius_m / before_m - 1.0) < _SETTLED:
            break
    angle_rad = distance_m / radius_m
    if angle_rad < _LEAST_RAD:
        raise TooShortError(
            f"the roller made only {angle_rad / (2 * np.pi):.2f} turns per pass.",
            hint="Roll at least one whole turn; a metre is better.",
        )
    own = [_relative_sd(roll) for roll in rolls]
    measured = float(np.sqrt(np.mean(np.square(own)) / passes))
    relative = float(np.hypot(np.hypot(measured, scale_sd), distance_sd_m / distance_m))
    return Calibration(radius_m, relative * radius_m, angle_rad, distance_m, passes, assumed_m)


def _length_m(stroke: Stroke) -> float:
    """Of a roller's stroke, which always has one; what has none is no pass."""
    return stroke.length_m or 0.0


def _relative_sd(roll: Stroke) -> float:
    sd, mean = roll.mean_speed_sd_mps, roll.mean_speed_mps
    return np.inf if sd is None or not mean else sd / mean


def _passes(strokes: Sequence[Stroke], passes: int) -> list[Stroke]:
    longest_m = max((_length_m(stroke) for stroke in strokes), default=0.0)
    rolls = [stroke for stroke in strokes if _length_m(stroke) > _LIKELY * longest_m]
    if not rolls:
        raise TooShortError(
            f"0 passes were found, not {passes}.",
            hint="Roll the distance in one go, rest before and after.",
        )
    if len(rolls) != passes:
        raise CalibrationError(
            f"{len(rolls)} passes were found, not {passes}.",
            hint="Roll the distance in one go, rest before and after; or tell how many there are.",
        )
    if any(roll.partly_unknown for roll in rolls):
        raise CalibrationError(
            "part of the roll could not be measured (lifted, knocked, cut off or a gap).",
            hint="Record it again, keep the roller on the floor, and rest before and after.",
        )
    lengths = [_length_m(roll) for roll in rolls]
    if max(lengths) - min(lengths) > _ALIKE * max(lengths):
        raise CalibrationError(
            f"the passes differ: {min(lengths):.2f} to {max(lengths):.2f} m.",
            hint="Roll from mark to mark each time.",
        )
    return rolls


@dataclass(slots=True)
class LiveRoll:
    """Collects one roll as it happens: rest, one pass over the distance, rest.

    Attributes:
        setup: what is known about the roller; its radius is where the search begins.
        distance_m: how far the roller's middle is to move.
    """

    setup: Setup
    distance_m: float
    _taken: list[ImuSamples | SignalGap] = field(default_factory=list)
    _beat: list[ImuSamples] = field(default_factory=list)
    _rest: RestDetector = field(default_factory=RestDetector)
    _first_s: float | None = None
    _turned: bool = False
    _still_s: float = 0.0

    def take(self, item: ImuSamples | SignalGap) -> Calibration | None:
        """Take readings; what they say once the roll is over, None until then.

        Moving the roller to its mark, less than a turn, is no roll.

        Raises:
            CalibrationError: the roll is over and does not tell the radius.
            InputError: these readings cannot be used.
        """
        self._taken.append(item)
        if not isinstance(item, ImuSamples) or not len(item):
            return None
        readings = usable(item, self.setup.sensors)
        if not len(readings):
            return None
        self._beat.append(readings)
        if item.t_s[-1] - self._beat[0].t_s[0] < BEAT_S:
            return None
        if self._flush_beat():
            try:
                return self.result()
            except TooShortError:
                self._turned = False
        self.wait(float(item.t_s[-1]))
        return None

    def wait(self, t_s: float) -> None:
        """Time has passed.

        Raises:
            CalibrationError: it is too long ago that the roll was asked for.
        """
        if self._first_s is None:
            self._first_s = t_s
        if t_s - self._first_s > PATIENCE_S:
            raise CalibrationError(
                f"no roll over the distance was seen in {PATIENCE_S:.0f} s.",
                hint="Send calibrate again, roll from mark to mark in one go, and let it rest.",
            )

    def result(self) -> Calibration:
        """What the readings so far say.

        Raises:
            CalibrationError: they do not tell the radius.
        """
        found = find_radius(
            self._strokes_at,
            self.distance_m,
            assumed_m=self.setup.radius_m,
            scale_sd=0.0 if self._accelerometer else GYRO_SCALE_SD,
        )
        ratio = found.radius_m / self.setup.radius_m
        if not 1 / _PLAUSIBLE < ratio < _PLAUSIBLE:
            raise CalibrationError(
                f"the roll says {1000 * found.radius_m:.0f} mm, far from the"
                f" {1000 * self.setup.radius_m:.0f} mm assumed so far.",
                hint=f"Roll {1000 * self.distance_m:.0f} mm exactly, or give another distance_mm.",
            )
        return found

    @property
    def _accelerometer(self) -> bool:
        """Whether gravity was there to count turns by."""
        felt = (i.accel_mps2 is not None for i in self._taken if isinstance(i, ImuSamples))
        return self.setup.sensors != "gyro" and any(felt)

    def _flush_beat(self) -> bool:
        """Whether the roller has turned and now rests."""
        beat, self._beat = ImuSamples.join(self._beat), []
        activity = self._rest.judge(beat, np.zeros(3))
        if activity is Activity.TURNING:
            self._turned = True
        still = activity is Activity.REST
        self._still_s = self._still_s + float(beat.t_s[-1] - beat.t_s[0]) if still else 0.0
        return self._turned and self._still_s >= _STILL_S

    def _strokes_at(self, radius_m: float) -> list[Stroke]:
        setup = replace(self.setup, radius_m=radius_m, start_at_once=True, idle_s=None, live=False)
        tracker = Tracker(setup)
        for item in self._taken:
            tracker.feed(item)
        ended = [event for event in tracker.finish() if isinstance(event, SessionEnded)]
        return [judged.stroke for event in ended for judged in event.strokes]
