"""Play a scenario: from the dice to a trace and the truth beside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from firmware_sim.ball import rolling_ball
from firmware_sim.effects.carried import pick_up
from firmware_sim.effects.rocking import rock
from firmware_sim.kinematics import roll
from firmware_sim.motion import rolling_cylinder
from firmware_sim.mounting import angular_rate, specific_force
from firmware_sim.steps import CarryStep, RollStep, WanderStep, segments
from firmware_sim.strokes import TrueStroke, true_strokes
from firmware_sim.trace import Trace

if TYPE_CHECKING:
    from firmware_sim.kinematics import Truth
    from firmware_sim.motion import BodyMotion
    from firmware_sim.scenario import Scenario
    from firmware_sim.trace import FloatArray

FINE_HZ = 800.0
"""Motion is worked out at this rate or a little above it, and then filtered and sampled."""


class Dice(NamedTuple):
    """A generator for each thing that is left to chance, so that changing one leaves the others.

    Their order is part of what a seed means.
    """

    motion: np.random.Generator
    accelerometer: np.random.Generator
    gyroscope: np.random.Generator
    mounting: np.random.Generator
    vibration: np.random.Generator
    bumps: np.random.Generator
    tremor: np.random.Generator
    impacts: np.random.Generator
    hands: np.random.Generator
    losses: np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What the sensor wrote down, and what really happened.

    Attributes:
        trace: readings; its true speed is that along the tissue, of a worn sensor too, and NaN
            where the roller is carried.
        strokes: by the same speed; their times are true ones, also where the trace's clock drifts.
    """

    trace: Trace
    strokes: tuple[TrueStroke, ...]


def record(scenario: Scenario, seed: int, truth: Truth | None = None) -> Recording:
    """Play a scenario; the same seed gives the same readings.

    Args:
        scenario: what to play.
        seed: of all dice.
        truth: a turn about the axle to play instead of the scenario's steps, at `fine_rate_hz`.
    """
    dice = Dice(*np.random.default_rng(seed).spawn(len(Dice._fields)))
    fine_hz = fine_rate_hz(scenario)
    every = round(fine_hz / scenario.rate_hz)
    if truth is not None:
        motion = rolling_cylinder(truth, fine_hz)
    elif scenario.shape == "ball":
        motion = _ball(scenario, fine_hz, dice)
    else:
        motion = _roller(scenario, fine_hz, dice)
    motion = _with_effects(motion, scenario, dice)
    carried = scenario.worn is None and ~motion.rolling
    known_mps = np.where(carried, np.nan, motion.speed_mps)
    strokes = true_strokes(np.arange(len(motion)) / fine_hz, known_mps)
    return Recording(_measure(motion, known_mps, scenario, every, seed, dice), strokes)


def fine_rate_hz(scenario: Scenario) -> float:
    """The rate at which motion is worked out: a whole multiple of the readings'."""
    return ceil(FINE_HZ / scenario.rate_hz) * scenario.rate_hz


def generate(scenario: Scenario, seed: int) -> Trace:
    """The readings alone."""
    return record(scenario, seed).trace


def _roller(scenario: Scenario, fine_hz: float, dice: Dice) -> BodyMotion:
    steps = [step for step in scenario.steps if not isinstance(step, WanderStep)]
    plan = list(segments(steps, dice.motion))
    truth = roll(plan, radius_m=scenario.radius_m, rate_hz=fine_hz)
    truth = rock(truth, plan, fine_hz, dice.hands)
    return pick_up(rolling_cylinder(truth, fine_hz), plan, truth.t_s, dice.hands)


def _ball(scenario: Scenario, fine_hz: float, dice: Dice) -> BodyMotion:
    steps = [step for step in scenario.steps if not isinstance(step, RollStep | CarryStep)]
    return rolling_ball(steps, radius_m=scenario.radius_m, rate_hz=fine_hz, dice=dice.motion)


def _with_effects(motion: BodyMotion, scenario: Scenario, dice: Dice) -> BodyMotion:
    for effect, own_dice in (
        (scenario.surface, dice.motion),
        (scenario.slip, dice.motion),
        (scenario.worn, dice.hands),
        (scenario.vibration, dice.vibration),
        (scenario.bumps, dice.bumps),
        (scenario.tremor, dice.tremor),
        (scenario.impacts, dice.impacts),
    ):
        if effect is not None:
            motion = effect.apply(motion, own_dice)
    return motion


def _measure(
    motion: BodyMotion,
    known_mps: FloatArray,
    scenario: Scenario,
    every: int,
    seed: int,
    dice: Dice,
) -> Trace:
    mounting = scenario.mounting.settle(dice.mounting)
    rate_hz, n = scenario.rate_hz, -(-len(motion) // every)
    arrived = scenario.losses.arrived(n, dice.losses)
    accel = gyro = None
    if scenario.sensors != "gyro":
        force = specific_force(motion, mounting)
        accel = scenario.accelerometer.read(force, rate_hz, every, dice.accelerometer)[arrived]
    if scenario.sensors != "accel":
        rate = angular_rate(motion, mounting)
        gyro = scenario.gyroscope.read(rate, rate_hz, every, dice.gyroscope)[arrived]
    metadata = {
        "rolltrack-trace": "1",
        "synthetic": "true",
        "about": scenario.about,
        "seed": str(seed),
        "radius_m": f"{scenario.radius_m:g}",
        **({"axle": mounting.axle} if scenario.shape == "roller" else {}),
    }
    t_s = scenario.losses.stamp(np.arange(n) / rate_hz, dice.losses)
    return Trace(t_s[arrived], accel, gyro, known_mps[::every][arrived], metadata)
