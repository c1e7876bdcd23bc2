"""A sensor's clock against the computer's, over long connections."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolltrack.sensors.clock import DeviceClock

PACKET_S, LEAST_DELAY_S = 0.1, 0.02


def listen(drift, seconds, dice, *, start_ticks=0, wrap=2**32, burst=0.3, stall_s=0.0):
    """Times given out and true times of packets that arrive late, in bursts."""
    clock = DeviceClock(1e6, wrap)
    true_s = np.arange(0.0, seconds, PACKET_S)
    arrival_s = true_s + LEAST_DELAY_S + dice.exponential(0.03, len(true_s))
    arrival_s += np.where(dice.random(len(true_s)) < burst, dice.uniform(0, 0.4, len(true_s)), 0)
    stalled = (true_s > 60) & (true_s < 60 + stall_s)
    arrival_s[stalled] = np.maximum(arrival_s[stalled], 60 + stall_s)
    arrival_s = np.maximum.accumulate(arrival_s)
    given_s = np.empty(len(true_s))
    for i, (now_s, at_s) in enumerate(zip(true_s, arrival_s, strict=True)):
        ticks = (start_ticks + round(now_s * (1 + drift) * 1e6)) % wrap
        said_s = clock.peek(ticks)
        given_s[i] = clock.anchor(ticks, at_s, 0.0, 0.01) if said_s is None else said_s
        clock.advance(ticks, at_s, given_s[i])
    return given_s, true_s


@settings(max_examples=8, deadline=None)
@given(st.floats(-1e-4, 1e-4), st.integers(0, 2**32 - 1), st.integers(0, 2**31))
def test_after_minutes_the_crystals_error_is_gone_and_time_never_jumps(drift, start_ticks, seed):
    given_s, true_s = listen(
        drift, 2400.0, np.random.default_rng(seed), start_ticks=start_ticks, wrap=2**30
    )
    steps = np.diff(given_s)
    assert np.all(steps > 0)
    assert np.all(np.abs(steps / PACKET_S - 1) < 3e-4), "no speed is distorted"
    late = (given_s - true_s)[true_s > 600]
    drifted = np.polyfit(true_s[true_s > 600], late, 1)[0]
    assert abs(drifted) < 1.5e-5


def test_a_computer_that_stalls_is_not_mistaken_for_a_slow_crystal():
    given_s, true_s = listen(0.0, 900.0, np.random.default_rng(3), stall_s=20.0)
    assert np.ptp(given_s - true_s) < 0.02


@pytest.mark.parametrize("drift", [1e-3, -1e-3])
def test_what_no_crystal_does_is_not_followed(drift):
    given_s, _ = listen(drift, 600.0, np.random.default_rng(4))
    assert np.diff(given_s) / PACKET_S == pytest.approx(1 + drift, rel=1e-4)
