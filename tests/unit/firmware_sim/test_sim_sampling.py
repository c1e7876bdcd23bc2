"""From a trace to even, quantised readings; and the device's clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from firmware_sim.clock import WRAP_US, DeviceClock
from firmware_sim.errors import InputError
from firmware_sim.sampling import quantise, sample
from firmware_sim.trace import Trace

LSB = 1 / 256


def accel_trace(t_s, first_axis):
    accel = np.column_stack([first_axis, np.zeros_like(t_s), np.zeros_like(t_s)])
    return Trace(np.asarray(t_s), accel)


def read(trace, rate_hz=100):
    return sample(trace, rate_hz=rate_hz, accel_lsb=LSB, gyro_lsb=LSB)


@given(
    values=hnp.arrays(float, st.integers(1, 40), elements=st.floats(-300, 300)),
    lsb=st.floats(1e-4, 1e-1),
)
def test_quantising_errs_by_half_a_count_or_says_clipped(values, lsb):
    counts, clipped = quantise(values, lsb)
    error = np.abs(counts * lsb - values)
    assert np.all(clipped | (error <= lsb / 2 * (1 + 1e-9)))
    assert np.all(clipped == ((counts == 32767) | (counts == -32768)))


def test_an_even_trace_at_its_own_rate_stays_as_it_is():
    k = np.arange(300)
    readings = read(accel_trace(np.round(k / 100, 6), k * LSB))
    assert readings.counts[:, 0].tolist() == k.tolist()
    assert readings.present.all()
    assert not readings.clipped.any()


@given(st.lists(st.floats(0.005, 0.02), min_size=5, max_size=100))
def test_uneven_time_stamps_are_interpolated(steps):
    t_s = np.cumsum(steps)
    readings = read(accel_trace(t_s, 10 * t_s))  # 10 m/s2 more each second
    grid_s = t_s[0] + np.arange(len(readings)) / 100
    assert readings.present.all()
    np.testing.assert_allclose(readings.counts[:, 0] * LSB, 10 * grid_s, atol=LSB / 2 + 1e-9)


def test_a_faster_trace_is_filtered_not_picked():
    t_s = np.arange(4000) / 400
    hum = np.where(np.arange(4000) % 2, 1.0, -1.0)  # at half the trace's rate
    readings = read(accel_trace(t_s, 5.0 + hum))
    np.testing.assert_allclose(readings.counts[2:-2, 0] * LSB, 5.0, atol=0.05)


def test_nothing_is_invented_where_readings_are_missing():
    t_s = np.arange(100) / 100
    values = np.ones(100)
    values[40:60] = np.nan  # 0.39 and 0.60 s are still there
    readings = read(accel_trace(t_s, values))
    assert np.flatnonzero(~readings.present).tolist() == list(range(40, 60))


def test_a_pause_in_the_time_stamps_is_a_hole():
    t_s = np.concatenate([np.arange(10) / 100, 1 + np.arange(10) / 100])
    readings = read(accel_trace(t_s, np.ones(20)))
    assert np.flatnonzero(readings.present).tolist() == [*range(10), *range(100, 110)]


def test_full_scale_is_marked():
    t_s = np.arange(10) / 100
    values = np.zeros(10)
    values[4] = 1000.0
    readings = read(accel_trace(t_s, values))
    assert np.flatnonzero(readings.clipped).tolist() == [4]
    assert readings.counts[4, 0] == 32767


def test_a_trace_without_a_single_whole_reading_is_refused():
    t_s = np.arange(10) / 100
    with pytest.raises(InputError, match="nothing to replay"):
        read(accel_trace(t_s, np.full(10, np.nan)))


def test_without_accelerometer_its_counts_are_zero():
    t_s = np.arange(10) / 100
    readings = read(Trace(t_s, None, np.full((10, 3), 2.0)))
    assert readings.counts.tolist() == [[0, 0, 0, 512, 512, 512]] * 10


@given(
    offset_us=st.integers(0, WRAP_US - 1),
    device_s=st.floats(0, 36000),
    step_us=st.integers(0, 10_000_000),
)
def test_the_clock_wraps_and_differences_survive_it(offset_us, device_s, step_us):
    clock = DeviceClock(offset_us)
    first, second = clock.ticks_us(device_s), clock.ticks_us(device_s + step_us * 1e-6)
    assert 0 <= first < WRAP_US
    assert abs((second - first) % WRAP_US - step_us) <= 1


@given(st.floats(-500, 500), st.floats(0.1, 100), st.floats(0, 1e5))
def test_drift_and_speed_can_be_undone(drift_ppm, speed, true_s):
    clock = DeviceClock(drift_ppm=drift_ppm, speed=speed)
    assert clock.true_s(clock.device_s(true_s)) == pytest.approx(true_s)
