"""Scenario files: what somebody does with the roller, and with which sensor in it, as TOML."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import msgspec
import numpy as np

from firmware_sim.errors import InputError, UsageError
from firmware_sim.imu import Flaws, Mounting, read_accelerometer, read_gyroscope
from firmware_sim.kinematics import Rest, Segment, Stroke, roll
from firmware_sim.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

Positive: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
NotNegative: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]


class RollStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="roll"):
    """Strokes to and fro; each number is drawn evenly between two limits.

    Attributes:
        strokes: how many; directions alternate through the whole scenario.
        length_m: of one stroke.
        mean_speed_mps: length divided by duration, from rest to rest.
        pause_s: standstill after each stroke.
    """

    strokes: Annotated[int, msgspec.Meta(ge=1)]
    length_m: tuple[Positive, Positive]
    mean_speed_mps: tuple[Positive, Positive]
    pause_s: tuple[NotNegative, NotNegative] = (0.0, 0.0)


class RestStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="rest"):
    """The roller stands still, as during a hold."""

    duration_s: Positive


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One session on the roller.

    Attributes:
        about: one line for people.
        radius_m: rolling radius.
        rate_hz: readings per second.
        sensors: which readings the trace holds.
        mounting: how the sensor sits.
        flaws: what the sensor gets wrong.
        steps: what happens, in order.
    """

    about: str
    radius_m: Positive
    rate_hz: Positive = 100.0
    sensors: Literal["accel", "gyro", "both"] = "both"
    mounting: Mounting = Mounting()
    flaws: Flaws = Flaws()
    steps: Annotated[tuple[RollStep | RestStep, ...], msgspec.Meta(min_length=1)]


def bundled_scenarios() -> dict[str, Scenario]:
    """The scenarios that come with the simulator, by name."""
    files = sorted(_folder().iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".toml"): _parse(file.name, file.read_bytes())
        for file in files
        if file.name.endswith(".toml")
    }


def load_scenario(name_or_path: str) -> Scenario:
    """Load a bundled scenario by name, or any file that ends in `.toml`.

    Raises:
        UsageError: no bundled scenario has this name.
        InputError: the file is not there or not a scenario.
    """
    if name_or_path.endswith(".toml"):
        try:
            return _parse(name_or_path, Path(name_or_path).read_bytes())
        except OSError as error:
            raise InputError(f"{name_or_path}: cannot be read ({error.strerror}).") from error
    scenarios = bundled_scenarios()
    if name_or_path not in scenarios:
        names = ", ".join(scenarios)
        raise UsageError(
            f"No scenario {name_or_path!r}. There are {names}; a path must end in .toml."
        )
    return scenarios[name_or_path]


def generate(scenario: Scenario, seed: int) -> Trace:
    """Play a scenario; the same seed gives the same readings.

    Motion and sensor throw separate dice: other flaws of the sensor leave the motion as it was.
    """
    motion_dice, accel_dice, gyro_dice = np.random.default_rng(seed).spawn(3)
    truth = roll(
        list(_segments(scenario, motion_dice)), radius_m=scenario.radius_m, rate_hz=scenario.rate_hz
    )
    mounting, flaws = scenario.mounting, scenario.flaws
    accel = gyro = None
    if scenario.sensors != "gyro":
        accel = read_accelerometer(truth, mounting, flaws, accel_dice)
    if scenario.sensors != "accel":
        gyro = read_gyroscope(truth, mounting, flaws, gyro_dice)
    metadata = {
        "rolltrack-trace": "1",
        "synthetic": "true",
        "about": scenario.about,
        "seed": str(seed),
        "radius_m": f"{scenario.radius_m:g}",
        "axle": mounting.axle,
    }
    return Trace(truth.t_s, accel, gyro, truth.surface_speed_mps, metadata)


def _segments(scenario: Scenario, dice: np.random.Generator) -> Iterator[Segment]:
    direction = 1
    for step in scenario.steps:
        if isinstance(step, RestStep):
            yield Rest(step.duration_s)
            continue
        for _ in range(step.strokes):
            yield Stroke(
                direction * dice.uniform(*step.length_m), dice.uniform(*step.mean_speed_mps)
            )
            yield Rest(dice.uniform(*step.pause_s))
            direction = -direction


def _folder() -> Traversable:
    return resources.files("firmware_sim") / "scenarios"


def _parse(where: str, data: bytes) -> Scenario:
    try:
        return msgspec.toml.decode(data, type=Scenario)
    except msgspec.DecodeError as error:
        raise InputError(f"{where}: not a scenario: {error}.") from error
