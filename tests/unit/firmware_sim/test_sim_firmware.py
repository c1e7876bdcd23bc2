"""The firmware: which samples go into which packet, and what is counted when they cannot."""

import struct
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.clock import DeviceClock
from firmware_sim.firmware import QUEUE_PACKETS, Firmware
from firmware_sim.packets import Config
from firmware_sim.trace import Trace

MTU = 247
ACCEL_LSB = 8 * 9.80665 / 32768


def counting_trace(readings=100, rate_hz=100, missing=()):
    k = np.arange(readings)
    accel = np.column_stack([k, k, k]) * ACCEL_LSB
    accel[list(missing)] = np.nan
    return Trace(k / rate_hz, accel)


def unpack(packet):
    seq, t_us, flags, n = struct.unpack_from("<HIBB", packet)
    axes = 6 if flags & 1 else 3
    rows = list(struct.iter_unpack(f"<{axes}h", packet[8:]))
    assert len(rows) == n
    return seq, t_us, flags, [row[0] for row in rows]


def drain(firmware, until_s, *, mtu=MTU, step_s=0.01):
    """Listen without a break until a device time."""
    out = []
    for now_s in np.arange(0, until_s + step_s / 2, step_s):
        firmware.advance(now_s, mtu)
        out += [unpack(packet) for packet in firmware.take(99)]
    return out


def samples(packets):
    return [count for *_, counts in packets for count in counts]


@given(
    size=st.integers(1, 30),
    mtu=st.integers(23, 517),
    step_s=st.floats(0.005, 0.3),
    readings=st.integers(2, 80),
)
def test_however_it_is_polled_every_sample_leaves_once(size, mtu, step_s, readings):
    firmware = Firmware(counting_trace(readings), config=Config(max_samples=size), at_end="stop")
    firmware.begin(0.0)
    packets = drain(firmware, 1.5, mtu=mtu, step_s=min(step_s, 0.15))
    assert samples(packets) == list(range(readings))
    assert [seq for seq, *_ in packets] == list(range(len(packets)))
    assert firmware.finished


def test_the_time_stamp_is_that_of_the_first_sample_and_wraps():
    firmware = Firmware(counting_trace(), clock=DeviceClock(2**32 - 150_000))
    firmware.begin(0.0)
    stamps = [t_us for _, t_us, *_ in drain(firmware, 0.35)]
    assert stamps == [2**32 - 150_000, 2**32 - 50_000, 50_000]


def test_a_hole_in_the_trace_ends_a_packet_and_shows_in_the_time():
    firmware = Firmware(counting_trace(40, missing=range(13, 20)), at_end="stop")
    firmware.begin(0.0)
    packets = drain(firmware, 0.5)
    assert [counts for *_, counts in packets] == [
        list(range(10)),
        [10, 11, 12],
        list(range(20, 30)),
        list(range(30, 40)),
    ]
    assert [t_us for _, t_us, *_ in packets] == [0, 100_000, 200_000, 300_000]
    assert [seq for seq, *_ in packets] == [0, 1, 2, 3]


def test_a_full_queue_drops_the_newest_counts_them_and_says_so_in_the_next_packet():
    firmware = Firmware(counting_trace(100), config=Config(max_samples=1))
    firmware.begin(0.0)
    firmware.advance((QUEUE_PACKETS + 2) / 100, MTU)  # three more than fit
    assert (firmware.overruns, firmware.dropped) == (3, 3)
    kept = [unpack(packet) for packet in firmware.take(99)]
    assert [counts for *_, counts in kept] == [[k] for k in range(QUEUE_PACKETS)]
    firmware.advance((QUEUE_PACKETS + 4) / 100, MTU)
    seq, _, flags, counts = unpack(firmware.take(1)[0])
    assert (seq, flags, counts) == (QUEUE_PACKETS + 3, 2, [QUEUE_PACKETS + 3])
    assert unpack(firmware.take(1)[0])[2] == 0
    assert struct.unpack_from("<HI", firmware.status()) == (3, 3)


def test_while_nobody_listens_the_trace_runs_on_unheard():
    firmware = Firmware(counting_trace(100))
    firmware.begin(0.0)
    firmware.advance(0.3, None)
    firmware.advance(0.5, MTU)
    assert [unpack(packet)[3] for packet in firmware.take(99)] == [
        list(range(31, 41)),
        list(range(41, 51)),
    ]
    assert firmware.dropped == 0


def test_nothing_happens_before_the_trace_begins():
    firmware = Firmware(counting_trace())
    firmware.advance(10.0, MTU)
    assert firmware.take(99) == []
    assert firmware.next_due_s(MTU) == inf


def test_after_its_end_a_trace_can_repeat():
    firmware = Firmware(counting_trace(25), at_end="repeat")
    firmware.begin(0.0)
    assert samples(drain(firmware, 0.7))[:60] == [*range(25), *range(25), *range(10)]


def test_lying_still_after_the_trace_means_no_turning():
    turning = np.full((20, 3), 2.0)
    trace = Trace(np.arange(20) / 100, counting_trace(20).accel_mps2, turning)
    firmware = Firmware(trace)
    firmware.begin(0.0)
    firmware.advance(0.5, MTU)
    last = firmware.take(99)[-1]
    assert struct.unpack_from("<6h", last, 8) == (19, 19, 19, 0, 0, 0)


def test_lying_still_after_the_trace_keeps_the_bias_of_the_gyroscope():
    bias, lsb = np.array([0.01, -0.02, 0.005]), np.radians(1000) / 2**15
    gyro = np.tile(bias, (60, 1))
    gyro[20:40, 2] += 1.5
    firmware = Firmware(Trace(np.arange(60) / 100, counting_trace(60).accel_mps2, gyro))
    firmware.begin(0.0)
    firmware.advance(1.0, MTU)
    last = struct.unpack_from("<6h", firmware.take(99)[-1], 8)
    np.testing.assert_allclose(np.array(last[3:]) * lsb, bias, atol=lsb)


def test_a_change_of_rate_loses_no_time():
    firmware = Firmware(counting_trace(100), at_end="stop")
    firmware.begin(0.0)
    firmware.advance(0.205, MTU)
    firmware.configure(Config(rate_hz=50))
    firmware.advance(2.0, MTU)
    packets = [unpack(packet) for packet in firmware.take(99)]
    assert packets[1][3] == list(range(10, 20))
    assert packets[2][3] == list(range(20, 40, 2))
    assert packets[2][1] == 200_000
    assert packets[-1][3][-1] == 98


def test_what_waits_in_another_scale_is_dropped_and_counted():
    firmware = Firmware(counting_trace(100), at_end="stop")
    firmware.begin(0.0)
    firmware.advance(0.255, MTU)
    firmware.configure(Config(accel_full_scale_g=16))
    firmware.advance(0.5, MTU)
    packets = [unpack(packet) for packet in firmware.take(99)]
    assert packets[0][3] == pytest.approx([k / 2 for k in range(20, 30)], abs=0.51)
    assert packets[0][2] == 2
    assert struct.unpack_from("<HI", firmware.status()) == (2, 20)


def test_clipping_is_flagged_in_its_packet_only():
    trace = counting_trace(30)
    trace.accel_mps2[12] = 500.0
    firmware = Firmware(trace, at_end="stop")
    firmware.begin(0.0)
    assert [flags for _, _, flags, _ in drain(firmware, 0.5)] == [0, 4, 0]


@pytest.mark.parametrize(("asked", "set_to"), [(1, 25), (74, 50), (110, 100), (5000, 400)])
def test_the_nearest_rate_is_set_and_told(asked, set_to):
    firmware = Firmware(counting_trace())
    firmware.configure(Config(rate_hz=asked))
    assert firmware.config.rate_hz == set_to
    assert struct.unpack_from("<xI", firmware.info(0.0))[0] == 1_000_000_000 // set_to


def test_a_sensor_that_is_not_there_has_scale_zero():
    still = np.zeros((10, 3))
    t_s = np.arange(10) / 100
    accel_only, gyro_only = Firmware(Trace(t_s, still)), Firmware(Trace(t_s, None, still))
    assert struct.unpack_from("<xxxxxff", accel_only.info(0.0))[1] == 0.0
    assert struct.unpack_from("<xxxxxff", gyro_only.info(0.0))[0] == 0.0
