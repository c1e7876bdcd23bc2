"""Rolling with known truth, made by the simulator's physics, as blocks the core takes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from firmware_sim.imu import Flaws, Mounting, read_accelerometer, read_gyroscope
from firmware_sim.kinematics import Rest, Stroke, roll
from rolltrack.core.sample import ImuSamples
from rolltrack.core.tracker import Setup, Tracker
from rolltrack.protocols import load_protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rolltrack.core.events import Event
    from rolltrack.core.sample import FloatArray

RADIUS_M = 0.075
PROTOCOL = load_protocol("slow-release")
REAL = Flaws(
    accel_bias_mps2=0.2,
    accel_gain=0.005,
    accel_noise_mps2=0.01,
    gyro_bias_radps=0.01,
    gyro_noise_radps=0.002,
    vibration_mps2=0.1,
)


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
    flaws: Flaws = REAL,
    phase_rad: float = 0.4,
    gyro: bool = True,
    seed: int = 1,
) -> Roll:
    """Strokes one after the other, each of signed length, with rests before, between and after."""
    segments: list[Rest | Stroke] = [Rest(lead_s)]
    for length_m in lengths_m:
        segments += [Stroke(length_m, mean_speed_mps), Rest(pause_s)]
    truth = roll([*segments, Rest(lead_s)], radius_m=radius_m, rate_hz=rate_hz)
    mounting = Mounting(axle="+y", phase_rad=phase_rad, lever_m=(0.02, 0.01))
    dice = np.random.default_rng(seed)
    accel = read_accelerometer(truth, mounting, flaws, dice)
    rate = read_gyroscope(truth, mounting, flaws, dice) if gyro else None
    return Roll(ImuSamples(truth.t_s, accel, rate), truth.surface_speed_mps)


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
