"""The simulated firmware's clock, through packets and bursts, to the times of readings."""

import numpy as np
import pytest
from support.central import counting_trace

from firmware_sim.clock import WRAP_US, DeviceClock
from firmware_sim.firmware import Firmware
from firmware_sim.packets import Config
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.sensors.decoders.roller_v1 import RollerV1Decoder, parse_info

MTU = 247
PERIOD_S = 0.01
INTERVAL_S = 0.03
LEAST_DELAY_S = 0.015
STALL_S = 0.7


def connection(*, clock, seconds=60.0, reboot_s=None, stalls=True, seed=1):
    """What a decoder makes of a firmware's packets, and when they were sent.

    The radio hands over whatever waits at each connection interval; now and then the computer
    stalls and gets everything at once.
    """
    dice = np.random.default_rng(seed)
    firmware = Firmware(
        counting_trace(int((seconds + 2) / PERIOD_S)), config=Config(max_samples=10), clock=clock
    )
    decoder = RollerV1Decoder(parse_info(firmware.info(0.0)))
    firmware.begin(clock.device_s(0.0))
    items, free_s = [], 0.0
    rebooted = reboot_s is None
    for now_s in np.arange(INTERVAL_S, seconds, INTERVAL_S):
        if not rebooted and now_s >= reboot_s:
            firmware.reboot(clock.device_s(float(now_s)))
            rebooted = True
        firmware.advance(firmware_s := clock.device_s(float(now_s)), MTU)
        assert firmware_s >= 0
        if now_s < free_s:
            continue
        if stalls and dice.random() < 0.01:
            free_s = now_s + dice.uniform(0, STALL_S)
            continue
        for packet in firmware.take(99):
            items += decoder.decode(packet, float(now_s) + LEAST_DELAY_S)
    return items


def times_and_counts(items):
    blocks = [item for item in items if isinstance(item, ImuSamples)]
    t_s = np.concatenate([block.t_s for block in blocks])
    lsb = 8 * 9.80665 / 2**15
    counts = np.concatenate([block.accel_mps2[:, 0] for block in blocks]) / lsb
    return t_s, np.rint(counts)


def test_bursts_and_stalls_leave_even_times():
    t_s, _ = times_and_counts(connection(clock=DeviceClock()))
    assert len(t_s) > 5500
    assert np.diff(t_s) == pytest.approx(PERIOD_S, abs=1e-6)


@pytest.mark.parametrize("before_us", [1, 12_345_678, 30_000_000])
def test_a_wrap_of_the_counter_shows_nowhere(before_us):
    wrapping = connection(clock=DeviceClock(offset_us=WRAP_US - before_us))
    plain = connection(clock=DeviceClock())
    assert not any(isinstance(item, SignalGap) for item in wrapping)
    assert times_and_counts(wrapping)[0] == pytest.approx(times_and_counts(plain)[0], abs=2e-6)


@pytest.mark.parametrize("drift_ppm", [-100.0, 60.0])
def test_over_twenty_minutes_a_drifting_crystal_costs_milliseconds(drift_ppm):
    items = connection(clock=DeviceClock(drift_ppm=drift_ppm), seconds=1200.0)
    t_s, _ = times_and_counts(items)
    assert not any(isinstance(item, SignalGap) for item in items)
    steps = np.diff(t_s)
    assert np.all(np.abs(steps / PERIOD_S - 1) < 5e-3)
    true_s = np.arange(len(t_s)) * PERIOD_S / (1 + drift_ppm * 1e-6)
    late_s = (t_s - true_s)[t_s > 600]
    assert np.ptp(late_s) < 0.012


def test_a_reboot_within_a_connection_is_a_gap_and_times_go_on():
    items = connection(clock=DeviceClock(offset_us=3_000_000_000), reboot_s=30.0)
    (gap,) = (item for item in items if isinstance(item, SignalGap))
    assert gap.reason == "clock_reset"
    t_s, _ = times_and_counts(items)
    assert np.all(np.diff(t_s) > 0)
    after = t_s >= gap.end_s
    assert gap.end_s == pytest.approx(30.0, abs=0.3 + STALL_S)
    assert np.diff(t_s[after]) == pytest.approx(PERIOD_S, abs=1e-6)
    assert t_s[-1] == pytest.approx(60.0, abs=0.2 + STALL_S)


@pytest.mark.parametrize("before_wrap_us", [2_000_000, 10_000_000, 29_000_000])
def test_a_reboot_shortly_before_the_counter_wraps_is_no_leap_in_time(before_wrap_us):
    """The counter then starts at zero just where it would soon have been by itself."""
    offset_us = WRAP_US - 30_000_000 - before_wrap_us
    items = connection(clock=DeviceClock(offset_us=offset_us), reboot_s=30.0, stalls=False)
    (gap,) = (item for item in items if isinstance(item, SignalGap))
    assert gap.reason == "clock_reset"
    assert gap.end_s - gap.start_s < 0.3
    t_s, _ = times_and_counts(items)
    assert t_s[-1] == pytest.approx(60.0, abs=0.2)
