"""Does an accelerometer's output look like specific force in m/s2, and do times look like seconds?

Gravity never goes away: the norm of the specific force of a roller in use stays near 9.81 m/s2. Its
median says at once when the numbers are in another unit or when a phone has taken gravity out of
them. Nothing of the kind exists for angular rate (deg/s and rad/s both pass for plausible), so none
is tried.

A sensor reads evenly. Lost readings leave steps of several periods; steps far shorter than a period
come from stamping packets when they arrive, and make every speed wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from rolltrack.errors import InputError

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray

_ENOUGH_READINGS = 10
_GRAVITY_FREE_BELOW_MPS2 = 2.0
_UNIT_G_BAND = (0.85, 1.35)
# Readings in g cluster around 1; gravity-free ones of that size scatter by about half of it.
_UNIT_G_SCATTER = 0.3
_BEYOND_ANY_ROLLER_MPS2 = 60.0
_LONGEST_PERIOD_S = 0.5
_SLOW_PERIOD_S = 1 / 19.0
"""A nominal 20 Hz, with room for its clock."""
_WINDOWS, _FEWEST_STEPS, _MOST_STEPS = 10, 20, 200
_TINY = 1 / 3
_MANY_TINY = 0.2
"""Of the steps: a scatter of 30 % makes less than a twentieth of them tiny."""

TimingFault: TypeAlias = Literal["bursts", "slow"]
"""Stamped in bursts, as on arrival; or too few readings a second for fast strokes."""


class TimingDoubt(NamedTuple):
    """What is doubted of a recording's times, and how many readings it has a second."""

    what: TimingFault
    rate_hz: float


def check_specific_force(accel_mps2: FloatArray, where: str) -> None:
    """Refuse accelerometer readings that are not specific force in m/s2.

    Args:
        accel_mps2: (n, 3) readings; NaN rows are left out. Fewer than ten say too little to refuse.
        where: what to call them in the error, usually the file's name.

    Raises:
        InputError: they are in g, in counts or mg, or gravity has been taken out.
    """
    norm = np.linalg.norm(accel_mps2, axis=1)
    norm = norm[np.isfinite(norm)]
    if len(norm) < _ENOUGH_READINGS:
        return
    middle = float(np.median(norm))
    scatter = float(np.median(np.abs(norm - middle)))
    if _UNIT_G_BAND[0] < middle < _UNIT_G_BAND[1] and scatter < _UNIT_G_SCATTER * middle:
        raise InputError(
            f"{where}: the accelerometer's norm is {middle:.2f}, as if in g, not m/s2;",
            hint="multiply ax, ay, az by 9.80665, or `rolltrack convert --map` with the unit g.",
        )
    if middle < _GRAVITY_FREE_BELOW_MPS2:
        raise InputError(
            f"{where}: the accelerometer's norm is {middle:.2f} m/s2 where gravity alone is 9.81:"
            " gravity has been taken out;",
            hint="record the accelerometer with gravity, or leave it out if there is a gyroscope.",
        )
    if middle > _BEYOND_ANY_ROLLER_MPS2:
        raise InputError(
            f"{where}: the accelerometer's norm is {middle:.0f} where 9.81 m/s2 is expected,"
            " as if in mg, mm/s2 or raw counts;",
            hint="scale ax, ay, az to m/s2, or `rolltrack convert --map` with their unit.",
        )


def check_rate(t_s: FloatArray, where: str) -> None:
    """Refuse times that are hardly seconds; fewer than ten say too little to refuse.

    Args:
        t_s: (n,) times of readings, which may have holes.
        where: what to call them in the error, usually the file's name.

    Raises:
        InputError: the readings are too far apart for any sensor, as times in ms are.
    """
    if len(t_s) < _ENOUGH_READINGS:
        return
    period_s = float(np.median(np.diff(t_s)))
    if period_s > _LONGEST_PERIOD_S:
        raise InputError(
            f"{where}: from reading to reading {period_s:.3g} s pass, as if times were in ms;",
            hint="divide t_s by 1000, or `rolltrack convert --map` with its unit.",
        )


def doubt_times(t_s: FloatArray) -> TimingDoubt | None:
    """Why speeds cannot be trusted whatever was felt; None without a doubt.

    Args:
        t_s: (n,) times of readings, strictly increasing; too few of them raise no doubt. Holes and
            lost readings raise none, nor what `check_rate` refuses.
    """
    steps_s = np.diff(t_s)
    if len(steps_s) < _ENOUGH_READINGS:
        return None
    period_s = float(np.median(steps_s))
    if _in_bursts(steps_s):
        return TimingDoubt("bursts", 1 / period_s)
    slow = _SLOW_PERIOD_S < period_s <= _LONGEST_PERIOD_S
    return TimingDoubt("slow", 1 / period_s) if slow else None


def _in_bursts(steps_s: FloatArray) -> bool:
    """Whether in most windows many steps are tiny; a long hole hides its own window only."""
    width = min(max(len(steps_s) // _WINDOWS, _FEWEST_STEPS), _MOST_STEPS)
    count = len(steps_s) // width
    if not count:
        return False
    windows = steps_s[: count * width].reshape(count, width)
    tiny = windows < _TINY * windows.mean(axis=1, keepdims=True)
    return float(np.mean(tiny.mean(axis=1) > _MANY_TINY)) > 0.5  # noqa: PLR2004  most of them
