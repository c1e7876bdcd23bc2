"""Rolling with known truth, made by the simulator's physics, as blocks the core takes."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from firmware_sim.chip import Accelerometer, Gyroscope
from firmware_sim.effects.vibration import Vibration
from firmware_sim.kinematics import Rest, Stroke, roll
from firmware_sim.motion import rolling_cylinder
from firmware_sim.mounting import Mounting, angular_rate, specific_force
from firmware_sim.scenario import load_scenario
from firmware_sim.session import generate
from firmware_sim.steps import RestStep, RollStep
from rolltrack.core.events import SessionEnded, StrokeEnded
from rolltrack.core.motion.motion import Motion
from rolltrack.core.sample import ImuSamples
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker
from rolltrack.protocols import load_protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rolltrack.core.events import Event
    from rolltrack.core.sample import FloatArray
    from rolltrack.core.strokes.stroke import Stroke as FoundStroke

RADIUS_M = 0.075
PROTOCOL = load_protocol("slow-release")
ACCELEROMETER = Accelerometer(bias_mps2=0.35, gain=0.009, noise_mps2_rthz=0.0014)
GYROSCOPE = Gyroscope(bias_radps=0.017, noise_radps_rthz=0.00028)
VIBRATION = Vibration(rms_mps2=0.1, full_speed_mps=0.1, at_rest=0.0)
FINE_HZ = 800.0


@dataclass(frozen=True, slots=True, eq=False)
class Roll:
    """What the sensor felt and how the surface really moved."""

    samples: ImuSamples
    true_speed_mps: FloatArray


def to_and_fro(
    lengths_m: Sequence[float],
    mean_speed_mps: float = 0.05,
    *,
    pause_s: float = 0.6,
    lead_s: float = 1.5,
    rate_hz: float = 100.0,
    radius_m: float = RADIUS_M,
    accelerometer: Accelerometer = ACCELEROMETER,
    vibration: Vibration = VIBRATION,
    phase_rad: float = 0.4,
    gyro: bool = True,
    seed: int = 1,
) -> Roll:
    """Strokes one after the other, each of signed length, with rests before, between and after."""
    segments: list[Rest | Stroke] = [Rest(lead_s)]
    for length_m in lengths_m:
        segments += [Stroke(length_m, mean_speed_mps), Rest(pause_s)]
    every = round(FINE_HZ / rate_hz)
    truth = roll([*segments, Rest(lead_s)], radius_m=radius_m, rate_hz=every * rate_hz)
    mounting = Mounting(axle="+y", phase_rad=phase_rad, lever_m=(0.02, 0.01))
    dice = np.random.default_rng(seed)
    motion = vibration.apply(rolling_cylinder(truth, every * rate_hz), dice)
    accel = accelerometer.read(specific_force(motion, mounting), rate_hz, every, dice)
    turning = angular_rate(motion, mounting)
    rate = GYROSCOPE.read(turning, rate_hz, every, dice) if gyro else None
    return Roll(ImuSamples(truth.t_s[::every], accel, rate), motion.speed_mps[::every])


def worn(strokes: int = 8, mean_speed_mps: float = 0.15, seed: int = 1) -> ImuSamples:
    """What a phone on the body feels at 64 Hz, in strokes fast enough to have a speed."""
    steps = (
        RestStep(duration_s=3.0),
        RollStep(
            strokes=strokes,
            length_m=(0.28, 0.32),
            mean_speed_mps=(mean_speed_mps, 1.1 * mean_speed_mps),
        ),
        RestStep(duration_s=3.0),
    )
    scenario = msgspec.structs.replace(load_scenario("phone-on-body"), rate_hz=64.0, steps=steps)
    trace = generate(scenario, seed)
    return ImuSamples(trace.t_s, trace.accel_mps2, trace.gyro_radps)


CASES = (
    *(("roller", "accel"), ("roller", "gyro"), ("roller", "both")),
    *(("ball", "accel"), ("ball", "both")),
    *(("body", "accel"), ("body", "both")),
)
"""Every shape with the sensors that can tell its speed."""


@functools.cache
def of_case(shape: str) -> ImuSamples:
    """A short recording for a shape, all sensors in it; a ball may roll like a roller.

    Its times are multiples of 1/64 s, without rounding.
    """
    if shape == "body":
        return worn(mean_speed_mps=0.2)
    return to_and_fro([0.2, -0.15], 0.12, lead_s=1.2, pause_s=0.5, rate_hz=64.0).samples


def setup(**changes: object) -> Setup:
    """An accelerometer-only tracker's setup, unless changed."""
    base: dict[str, object] = {
        "roller": "rt-1",
        "athlete": "a7k2",
        "protocol": PROTOCOL,
        "radius_m": RADIUS_M,
        "sensors": "accel",
        "id_salt": b"test",
    }
    return Setup(**{**base, **changes})


def run(samples: ImuSamples, cuts: Iterable[int] = (), **changes: object) -> list[Event]:
    """Feed readings cut at the given places; all events, the session's end included."""
    tracker = Tracker(setup(**changes))
    edges = [0, *sorted(set(cuts)), len(samples)]
    events: list[Event] = []
    for start, stop in itertools.pairwise(edges):
        events += tracker.feed(samples[start:stop])
    return events + tracker.finish()


def only(events: Iterable[Event], kind: type) -> list:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def said(events: Iterable[Event], kind: type) -> Motion:
    """All that `LiveSpeed` or `FinalSpeed` events say, as one."""
    return Motion.join([event.block for event in only(events, kind)])


def strokes_of(events: Sequence[Event]) -> tuple[list[FoundStroke], list[FoundStroke]]:
    """The prompt strokes and the final ones."""
    prompt = [event.judged.stroke for event in only(events, StrokeEnded)]
    (ended,) = only(events, SessionEnded)
    return prompt, [judged.stroke for judged in ended.strokes]


def plain(events: Iterable[Event]) -> list[str]:
    """Events as text, blocks of motion reduced to their bytes, so that equal means equal."""
    texts = []
    for event in events:
        block = getattr(event, "block", None)
        if block is None:
            texts.append(repr(event))
        else:
            said = [getattr(event, name) for name in event.__slots__ if name != "block"]
            arrays = (block.t_s, block.speed_mps, block.speed_sd_mps, block.valid, block.way)
            content = [None if each is None else each.tobytes().hex() for each in arrays]
            texts.append(f"{type(event).__name__}{said}{content}")
    return texts
