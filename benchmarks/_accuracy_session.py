"""What accuracy is measured on, and what is compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack.core.sample import ImuSamples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_sim.scenario import Scenario
    from firmware_sim.strokes import TrueStroke
    from rolltrack.core.sample import FloatArray

SensorSet: TypeAlias = Literal["accel", "gyro", "both"]
Shape: TypeAlias = Literal["roller", "ball", "body"]

LIMIT_MPS = 0.075
"""Strokes with a larger mean speed are too fast."""


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Readings and the truth.

    Attributes:
        samples: both sensors as far as there are both.
        true_mps: (n,) signed surface speed, NaN where nothing rolls.
        strokes: true ones.
        radius_m: rolling radius.
        axle: nominal direction of the axle in the sensor's axes, None without one.
        shape: what rolls.
    """

    samples: ImuSamples
    true_mps: FloatArray
    strokes: Sequence[TrueStroke]
    radius_m: float
    axle: FloatArray | None
    shape: Shape = "roller"

    def with_sensors(self, sensors: SensorSet) -> ImuSamples:
        """The readings of these sensors only."""
        samples = self.samples
        return ImuSamples(
            samples.t_s,
            None if sensors == "gyro" else samples.accel_mps2,
            None if sensors == "accel" else samples.gyro_radps,
        )


@dataclass(frozen=True, slots=True)
class FoundStroke:
    """A stroke as some method saw it."""

    start_s: float
    end_s: float
    length_m: float
    mean_speed_mps: float
    mean_speed_sd_mps: float
    peak_speed_mps: float


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a method said.

    Attributes:
        speed_mps: (n,) at the session's readings, NaN where unknown.
        sd_mps: (n,) its standard deviation, None of a method that states none.
        strokes: those it found.
        cpu_s: processor time.
    """

    speed_mps: FloatArray
    sd_mps: FloatArray | None
    strokes: Sequence[FoundStroke]
    cpu_s: float


def simulated(scenario_name: str, seed: int) -> Session:
    """One session of a scenario."""
    return session_of(load_scenario(scenario_name), seed)


def session_of(scenario: Scenario, seed: int) -> Session:
    """One session of a scenario that need not be a bundled one."""
    recording = record(scenario, seed)
    trace = recording.trace
    assert trace.true_speed_mps is not None
    axle: FloatArray | None = None
    shape: Shape = "body" if scenario.worn else scenario.shape
    if shape == "roller":
        name = scenario.mounting.axle
        axle = np.array([axis == name[1] for axis in "xyz"]) * (1.0 if name[0] == "+" else -1.0)
    return Session(
        ImuSamples(trace.t_s, trace.accel_mps2, trace.gyro_radps),
        trace.true_speed_mps,
        recording.strokes,
        scenario.radius_m,
        axle,
        shape,
    )
