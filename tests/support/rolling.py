"""Rolling with known truth, made by the simulator's physics, as blocks the core takes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from firmware_sim.chip import Accelerometer, Gyroscope
from firmware_sim.effects.vibration import Vibration
from firmware_sim.kinematics import Rest, Stroke, roll
from firmware_sim.motion import rolling_cylinder
from firmware_sim.mounting import Mounting, angular_rate, specific_force
from rolltrack.core.sample import ImuSamples
from rolltrack.core.tracker import Setup, Tracker
from rolltrack.protocols import load_protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rolltrack.core.events import Event
    from rolltrack.core.sample import FloatArray

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


def plain(events: Iterable[Event]) -> list[str]:
    """Events as text, blocks of motion reduced to their bytes, so that equal means equal."""
    texts = []
    for event in events:
        block = getattr(event, "block", None)
        if block is None:
            texts.append(repr(event))
        else:
            said = [getattr(event, name) for name in event.__slots__ if name != "block"]
            texts.append(f"{type(event).__name__}{said}{block.speed_mps.tobytes().hex()}")
    return texts
