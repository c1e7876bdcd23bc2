import json
import math
import struct
from pathlib import Path

import numpy as np
import pytest

from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sensors.decoders import roller_v1
from rolltrack.sensors.decoders.roller_v1 import RollerInfo, RollerV1Decoder

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "roller_v1.json").read_text())
INFO = RollerInfo(10_000_000, 1 / 512, 1 / 1024, (0.0, 0.0, 1.0), 0.075, 0)
AXLES = (None, (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
PARSERS = {
    "motion": roller_v1.parse_motion,
    "config": roller_v1.parse_config,
    "info": roller_v1.parse_info,
}


def cases(kind):
    return [pytest.param(case, id=case["name"]) for case in GOLDEN[kind]]


def packet(seq, t_us, n=10, flags=1, counts=(0, 0, 5021, 0, 0, 100)):
    axes = 6 if flags & 1 else 3
    return struct.pack("<HIBB", seq, t_us, flags, n) + struct.pack(f"<{axes}h", *counts[:axes]) * n


def stream(*numbers, n=10, start_us=0, decoder=None):
    """Items of the packets with these numbers of an endless 100 Hz stream."""
    decoder = decoder or RollerV1Decoder(INFO)
    items = []
    for k in numbers:
        t_us = (start_us + k * n * 10_000) % 2**32
        items += decoder.decode(packet(k % 2**16, t_us, n), 7.0 + (k + 1) * n * 0.01)
    return items


def gaps(items):
    return [item for item in items if isinstance(item, SignalGap)]


def times(items):
    return np.concatenate([item.t_s for item in items if isinstance(item, ImuSamples)])


@pytest.mark.parametrize("case", cases("motion"))
def test_golden_motion(case):
    fields = case["fields"]
    read = roller_v1.parse_motion(bytes.fromhex(case["hex"]))
    assert (read.seq, read.t_us) == (fields["seq"], fields["t_us"])
    assert read.clipped == fields["clipped"]
    assert read.accel.tolist() == fields["accel"]
    assert (read.gyro is not None) == fields["gyro_present"]
    assert (None if read.gyro is None else read.gyro.tolist()) == fields["gyro"]


@pytest.mark.parametrize("case", cases("info"))
def test_golden_info(case):
    fields = case["fields"]
    info = roller_v1.parse_info(bytes.fromhex(case["hex"]))
    assert info.period_ns == fields["period_ns"]
    assert info.period_s == pytest.approx(fields["period_ns"] * 1e-9)
    assert info.accel_mps2_per_lsb == fields["accel_mps2_per_lsb"]
    assert info.gyro_radps_per_lsb == fields["gyro_radps_per_lsb"]
    assert info.axle == AXLES[fields["axle"]]
    assert (info.radius_m or 0) == pytest.approx(fields["radius_tenth_mm"] * 1e-4)
    assert info.clock_us == fields["clock_us"]


@pytest.mark.parametrize("case", cases("config"))
def test_golden_config_both_ways(case):
    data = bytes.fromhex(case["hex"])
    config = roller_v1.parse_config(data)
    assert config == roller_v1.StreamConfig(**case["fields"])
    assert roller_v1.encode_config(config) == data


@pytest.mark.parametrize(
    "case", [case for case in cases("malformed") if case.values[0]["characteristic"] in PARSERS]
)
def test_golden_malformed(case):
    with pytest.raises(DecodeError):
        PARSERS[case["characteristic"]](bytes.fromhex(case["hex"]))


@pytest.mark.parametrize(("code", "axle"), list(enumerate(AXLES)))
def test_axle_codes(code, axle):
    data = struct.pack("<BIffBHI", 1, 10_000_000, 0.1, 0.1, code, 0, 0)
    info = roller_v1.parse_info(data)
    assert info.axle == axle
    assert info.radius_m is None


def test_samples_that_fit():
    assert [roller_v1.samples_that_fit(mtu) for mtu in (23, 185, 247, 517)] == [1, 14, 19, 42]


def test_the_first_packet_is_anchored_to_its_arrival():
    (samples,) = RollerV1Decoder(INFO).decode(packet(3, 5_000_000), 7.1)
    np.testing.assert_allclose(samples.t_s, 7.01 + 0.01 * np.arange(10))
    np.testing.assert_allclose(samples.accel_mps2, [[0, 0, 5021 / 512]] * 10)
    np.testing.assert_allclose(samples.gyro_radps, [[0, 0, 100 / 1024]] * 10)
    assert samples.clipped is None


def test_within_a_connection_the_device_clock_rules_over_arrival():
    decoder = RollerV1Decoder(INFO)
    decoder.decode(packet(0, 0), 1.0)
    (late,) = decoder.decode(packet(1, 100_000), 3.7)
    (early,) = decoder.decode(packet(2, 200_000), 3.7)
    assert late.t_s[0] == pytest.approx(1.01)
    assert early.t_s[0] == pytest.approx(1.11)


def test_lost_packets_become_a_gap_with_the_lost_samples():
    items = stream(0, 1, 5, 6)
    (gap,) = gaps(items)
    assert (gap.lost, gap.reason) == (30, "packets_lost")
    assert gap.start_s == pytest.approx(items[1].t_s[-1])
    assert gap.end_s == pytest.approx(items[3].t_s[0])
    assert items.index(gap) == 2


def test_sequence_and_clock_wrap_leave_no_gap():
    start_us = 2**32 - 65_530 * 100_000 % 2**32
    items = stream(*range(65_525, 65_545), start_us=start_us)
    assert not gaps(items)
    np.testing.assert_allclose(np.diff(times(items)), 0.01)


def test_a_hole_without_missing_packets_is_the_sensors_own():
    decoder = RollerV1Decoder(INFO)
    decoder.decode(packet(0, 0), 1.0)
    gap, _ = decoder.decode(packet(1, 150_000, flags=3), 1.15)
    assert (gap.lost, gap.reason) == (5, "missing_readings")


def test_copies_are_dropped_also_when_late():
    items = stream(0, 1, 1, 2, 1, 0, 3)
    assert not gaps(items)
    assert len(times(items)) == 40


@pytest.mark.parametrize("n", [1, 10])
@pytest.mark.parametrize("start_us", [0, 2**32 - 5_000_000])
def test_a_copy_that_comes_seconds_late_is_refused_and_nothing_is_lost(n, start_us):
    decoder, items = RollerV1Decoder(INFO), []
    for k in range(100):
        items += stream(k, n=n, start_us=start_us, decoder=decoder)
        if k >= 50 and k % 3 == 0:
            with pytest.raises(DecodeError, match="after later ones"):
                stream(k - 45, n=n, start_us=start_us, decoder=decoder)
    assert not gaps(items)
    assert len(times(items)) == 100 * n


def test_packets_that_others_have_overtaken_are_refused():
    decoder = RollerV1Decoder(INFO)
    stream(65_530, 65_531, 65_540, decoder=decoder)
    for late in (65_535, 65_536, 65_538):
        with pytest.raises(DecodeError, match="after later ones"):
            stream(late, decoder=decoder)
    assert not gaps(stream(65_541, decoder=decoder))


@pytest.mark.parametrize("first", [0, 1, 5])
def test_a_start_soon_after_the_one_before_is_noticed_at_the_second_packet(first):
    decoder = RollerV1Decoder(INFO)
    stream(*range(50), decoder=decoder)
    before_s = decoder.last_s
    with pytest.raises(DecodeError, match="after later ones"):
        decoder.decode(packet(first, first * 100_000 + 7), 14.0)
    items = [
        item
        for k in range(first + 1, 80)
        for item in decoder.decode(packet(k, k * 100_000 + 7), 14.0 + 0.1 * (k - first))
    ]
    (gap,) = gaps(items)
    assert (gap.reason, gap.lost, gap.start_s) == ("clock_reset", 0, before_s)
    assert items.index(gap) == 0
    assert len(times(items)) == (79 - first) * 10
    np.testing.assert_allclose(np.diff(times(items)), 0.01)


def test_a_start_long_after_the_one_before_is_noticed_at_once():
    decoder = RollerV1Decoder(INFO)
    stream(*range(300), decoder=decoder)
    gap, samples = decoder.decode(packet(0, 7), 37.5)
    assert gap.reason == "clock_reset"
    assert samples.t_s[-1] == pytest.approx(37.5)


def test_a_sensor_that_starts_anew_leaves_a_clock_reset_and_time_goes_on():
    decoder = RollerV1Decoder(INFO)
    stream(*range(50), start_us=3_000_000_000, decoder=decoder)
    before_s = decoder.last_s
    gap, samples = decoder.decode(packet(0, 20_000), 15.0)
    assert (gap.reason, gap.lost) == ("clock_reset", 0)
    assert (gap.start_s, gap.end_s) == (before_s, samples.t_s[0])
    assert samples.t_s[-1] == pytest.approx(15.0)


def test_a_leap_that_arrival_denies_is_a_reset_too():
    decoder = RollerV1Decoder(INFO)
    decoder.decode(packet(900, 4_000_000_000), 1.0)
    gap, samples = decoder.decode(packet(0, 5_000), 1.1)
    assert gap.reason == "clock_reset"
    assert samples.t_s[0] > gap.start_s


def test_a_new_connection_starts_at_its_arrival_and_never_goes_back():
    first = RollerV1Decoder(INFO)
    first.decode(packet(7, 70_000), 50.0)
    (later,) = RollerV1Decoder(INFO, after_s=first.last_s).decode(packet(0, 0), 60.0)
    assert later.t_s[-1] == pytest.approx(60.0)
    (at_once,) = RollerV1Decoder(INFO, after_s=first.last_s).decode(packet(0, 0), 50.0)
    assert at_once.t_s[0] == pytest.approx(50.01)


def test_readings_that_overlap_the_packet_before_are_refused_and_the_stream_goes_on():
    decoder = RollerV1Decoder(INFO)
    decoder.decode(packet(0, 0), 1.0)
    with pytest.raises(DecodeError, match="before the last one"):
        decoder.decode(packet(1, 50_000), 1.1)
    gap, _ = decoder.decode(packet(2, 200_000), 1.2)
    assert gap.lost == 10


def test_clipped_readings_are_marked_one_by_one_where_the_counts_tell():
    raw = struct.pack("<HIBB", 0, 0, 5, 2) + struct.pack("<12h", *[5] * 6, 5, -32768, 5, 5, 5, 5)
    (samples,) = RollerV1Decoder(INFO).decode(raw, 1.0)
    assert samples.clipped.tolist() == [False, True]


def test_a_clipped_packet_of_a_sensor_with_a_shorter_scale_is_marked_whole():
    (samples,) = RollerV1Decoder(INFO).decode(packet(0, 0, n=3, flags=5), 1.0)
    assert samples.clipped.tolist() == [True] * 3


def test_scale_zero_means_no_such_sensor():
    gyro_only = RollerInfo(10_000_000, 0.0, 1 / 1024, None, None, 0)
    (samples,) = RollerV1Decoder(gyro_only).decode(packet(0, 0), 1.0)
    assert samples.accel_mps2 is None
    assert samples.gyro_radps is not None
    with pytest.raises(DecodeError, match="no sensor"):
        RollerV1Decoder(gyro_only).decode(packet(0, 0, flags=0), 1.0)


def test_last_s_is_told_for_the_next_connection():
    decoder = RollerV1Decoder(INFO)
    assert decoder.last_s == -math.inf
    decoder.decode(packet(0, 0), 1.0)
    assert decoder.last_s == pytest.approx(1.0)
