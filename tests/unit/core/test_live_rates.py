"""Live speed at sampling rates that do not divide a hop."""

import msgspec
import numpy as np
import pytest

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack import load_protocol
from rolltrack.core.events import LiveSpeed
from rolltrack.core.sample import ImuSamples
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker


@pytest.mark.parametrize("rate_hz", [25.0, 32.0, 52.0, 104.0])
def test_every_instant_is_said_once_and_in_time(rate_hz):
    scenario = msgspec.structs.replace(load_scenario("typical"), rate_hz=rate_hz)
    trace = record(scenario, 2).trace
    setup = Setup("r", "a", load_protocol("slow-release"), 0.075, start_at_once=True, idle_s=None)
    tracker = Tracker(setup)
    end = int(np.searchsorted(trace.t_s, trace.t_s[0] + 20.0))
    events = tracker.feed(ImuSamples(trace.t_s[:end], trace.accel_mps2[:end]))
    said = [event for event in events if isinstance(event, LiveSpeed)]
    instants = np.concatenate([event.block.t_s for event in said])
    inner = (trace.t_s > trace.t_s[0] + 3.0) & (trace.t_s < trace.t_s[0] + 19.0)
    assert np.isin(trace.t_s[inner], instants).all()
    assert all(event.said_s - event.block.t_s[0] <= 0.3 for event in said)
