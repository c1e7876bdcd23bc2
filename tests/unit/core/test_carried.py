"""Rolling on its axle, or in somebody's hands?"""

import numpy as np
import pytest

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack.core.motion.axle import AxleFinder
from rolltrack.core.motion.carried import CarriedWatch, being_carried, restlessness
from rolltrack.core.sample import ImuSamples

AXLE = np.array([0.0, 0.0, 1.0])


def readings(name, seed, sensors):
    recording = record(load_scenario(name), seed)
    trace = recording.trace
    gyro = trace.gyro_radps if sensors == "both" else None
    return ImuSamples(trace.t_s, trace.accel_mps2, gyro), ~np.isfinite(trace.true_speed_mps)


def beats(samples):
    return [samples[start : start + 50] for start in range(0, len(samples), 50)]


@pytest.mark.parametrize("sensors", ["accel", "both"])
def test_in_the_hands_it_is_seen_and_on_the_floor_it_is_not_suspected(sensors):
    samples, in_hands = readings("carried", 1, sensors)
    finder = AxleFinder(hint=tuple(AXLE))
    finder.see_turning(samples[: int(np.argmax(in_hands))])
    said = being_carried(samples, finder.axle)
    assert said[in_hands].mean() > 0.98
    assert said[~in_hands].mean() < 0.03


@pytest.mark.parametrize("name", ["rough", "holds", "short-strokes", "impacts", "typical-tilt10"])
@pytest.mark.parametrize("sensors", ["accel", "both"])
def test_floors_knocks_and_tremor_are_not_hands(name, sensors):
    samples, _ = readings(name, 2, sensors)
    finder = AxleFinder(hint=tuple(AXLE))
    finder.see_turning(samples)
    assert being_carried(samples, finder.axle).mean() < 0.02
    # Live suspects hands from less on.
    assert (restlessness(samples, finder.axle, 0.3) > 0.6).mean() < 0.02


def test_an_axle_learnt_in_the_hands_is_forgotten_once_it_rolls():
    samples, _ = readings("typical", 3, "accel")
    finder, watch = AxleFinder(), CarriedWatch()
    finder.direction = np.array([0.6, 0.0, 0.8])
    for beat in beats(samples):
        if watch.may_learn(beat, finder):
            finder.see_turning(beat)
    assert abs(finder.direction @ AXLE) > 0.995


def test_hands_teach_nothing():
    samples, in_hands = readings("carried", 4, "accel")
    carried = samples[int(np.argmax(in_hands)) + 100 : len(samples)]
    carried = carried[: int(in_hands[-len(carried) :].argmin()) or len(carried)]
    watch = CarriedWatch()
    learnt = [watch.may_learn(beat, AxleFinder()) for beat in beats(carried)]
    assert np.mean(learnt[2:]) < 0.3
