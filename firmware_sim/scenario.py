"""Scenario files: what somebody does, with what, on what, and which sensor takes part, as TOML."""

from __future__ import annotations

import tomllib
from importlib import resources
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from firmware_sim.air import Air
from firmware_sim.chip import Accelerometer, Gyroscope
from firmware_sim.effects.bumps import Bumps
from firmware_sim.effects.impacts import Impacts
from firmware_sim.effects.losses import Losses
from firmware_sim.effects.slip import Slip
from firmware_sim.effects.surface import Surface
from firmware_sim.effects.tremor import Tremor
from firmware_sim.effects.vibration import Vibration
from firmware_sim.effects.worn import Worn
from firmware_sim.errors import InputError, UsageError
from firmware_sim.mounting import Mounting
from firmware_sim.steps import CarryStep, RestStep, Step, WanderStep

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_BASE = "base"
"""A scenario may name a bundled one to differ from; tables are merged key by key."""
_ONE_LINE = r"\A[^\r\n]{0,200}\Z"
_LEAST_S, _MOST_S = 1.0, 7200.0
_MOST_JITTER = 0.5


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One session.

    Attributes:
        about: one line for people.
        radius_m: rolling radius.
        shape: what rolls; a ball needs `wander` steps, a roller the others.
        rate_hz: readings per second.
        sensors: which readings the trace holds.
        steps: what happens, in order.
        mounting: how the sensor sits.
        accelerometer: what it gets wrong.
        gyroscope: what it gets wrong.
        surface: what is rolled on; a level floor if not said.
        vibration: of the floor.
        bumps: of the floor or the roller.
        tremor: of the body.
        impacts: knocks.
        slip: sliding and spinning.
        worn: the sensor is on the body and not in the roller.
        losses: between sensor and recording.
        air: between firmware and central, when it is replayed over virtual Bluetooth.
    """

    about: Annotated[str, msgspec.Meta(pattern=_ONE_LINE)]
    radius_m: Annotated[float, msgspec.Meta(ge=0.01, le=1)]
    shape: Literal["roller", "ball"] = "roller"
    rate_hz: Annotated[float, msgspec.Meta(ge=1, le=10_000)] = 100.0
    sensors: Literal["accel", "gyro", "both"] = "both"
    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1)]
    mounting: Mounting = Mounting()
    accelerometer: Accelerometer = Accelerometer()
    gyroscope: Gyroscope = Gyroscope()
    surface: Surface | None = None
    vibration: Vibration | None = None
    bumps: Bumps | None = None
    tremor: Tremor | None = None
    impacts: Impacts | None = None
    slip: Slip | None = None
    worn: Worn | None = None
    losses: Losses = Losses()
    air: Air = Air()

    def __post_init__(self) -> None:
        """Refuse what cannot be, or is not worked out."""
        for step in self.steps:
            wanders = isinstance(step, WanderStep)
            if not isinstance(step, RestStep) and wanders != (self.shape == "ball"):
                what = type(step).__struct_config__.tag
                raise ValueError(f"a {self.shape} cannot {what!r}: fix `shape` or the step")
        duration_s = sum(step.duration_s for step in self.steps)
        if not _LEAST_S <= duration_s <= _MOST_S:
            raise ValueError(
                f"`steps` take {duration_s:g} s; a session has {_LEAST_S:g} to {_MOST_S:g} s"
            )
        lever_m = hypot(*self.mounting.lever_m) + self.mounting.scatter.lever_m
        if lever_m > self.radius_m:
            raise ValueError(f"`mounting.lever_m` adds up to {lever_m:g}, more than `radius_m`")
        if self.losses.jitter_s > _MOST_JITTER / self.rate_hz:
            raise ValueError("`losses.jitter_s` is more than half a period of `rate_hz`")
        carried = any(isinstance(step, CarryStep) for step in self.steps)
        if self.worn is not None and (carried or self.slip is not None or self.shape == "ball"):
            raise ValueError("`worn` goes with a roller that neither slips nor is carried")
        if self.shape == "ball" and self.slip is not None and self.slip.every_s is not None:
            raise ValueError("`slip.every_s` is for rollers; a ball slips all the time")


def bundled_scenarios() -> dict[str, Scenario]:
    """The scenarios that come with the simulator, by name."""
    return {name: load_scenario(name) for name in _names()}


def load_scenario(name_or_path: str) -> Scenario:
    """Load a bundled scenario by name, or any file that ends in `.toml`.

    Raises:
        UsageError: no bundled scenario has this name.
        InputError: the file is not there or not a scenario.
    """
    if not name_or_path.endswith(".toml"):
        return _build(f"{name_or_path}.toml", _bundled(name_or_path))
    try:
        text = Path(name_or_path).read_bytes()
    except OSError as error:
        raise InputError(f"{name_or_path}: cannot be read ({error.strerror}).") from error
    return _build(name_or_path, _parse(name_or_path, text))


def _names() -> list[str]:
    files = (file.name for file in _folder().iterdir())
    return sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


def _folder() -> Traversable:
    return resources.files("firmware_sim") / "scenarios"


def _bundled(name: str) -> dict[str, Any]:
    if name not in (names := _names()):
        raise UsageError(
            f"No scenario {name!r}. There are {', '.join(names)}; a file's name must end in .toml,"
            " that of a trace to replay in .csv or .csv.gz."
        )
    return _parse(f"{name}.toml", (_folder() / f"{name}.toml").read_bytes())


def _parse(where: str, text: bytes) -> dict[str, Any]:
    """The tables of a scenario and of the scenarios it builds on."""
    try:
        tables = tomllib.loads(text.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{where}: not a scenario: {error}.") from error
    if _BASE not in tables:
        return tables
    name = tables.pop(_BASE)
    if name not in (names := _names()):
        raise InputError(f"{where}: `{_BASE}` = {name!r} is not one of {', '.join(names)}.")
    return _merged(_bundled(name), tables)


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Tables key by key; everything else, lists included, is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merged(old, value)
        else:
            merged[key] = value
    return merged


def _build(where: str, tables: dict[str, Any]) -> Scenario:
    try:
        return msgspec.convert(tables, Scenario)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: not a scenario: {error}.") from error
