import json
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sensors.decoders import roller_v1, sensor_logger
from rolltrack.sources.imu_batch import read_batch
from rolltrack.sources.mqtt_imu import ImuRoller

INFO = roller_v1.RollerInfo(10_000_000, 1 / 512, 1 / 1024, None, None, 0)
N = 4


def packet(k, start_us, start_seq):
    header = struct.pack(
        "<HIBB", (start_seq + k) % 2**16, (start_us + k * N * 10_000) % 2**32, 1, N
    )
    return header + struct.pack("<6h", 0, 0, 5021, 0, 0, k % 1000) * N


def times_of(items):
    return np.concatenate([i.t_s for i in items if isinstance(i, ImuSamples)])


def assert_in_order(items):
    """Times increase, and every gap stands exactly between its two readings."""
    last_s = -np.inf
    for item in items:
        if isinstance(item, SignalGap):
            assert item.start_s == last_s
            assert item.end_s > item.start_s
        else:
            assert np.isfinite(item.t_s).all()
            assert (np.diff(item.t_s, prepend=last_s) > 0).all()
            last_s = item.t_s[-1]


@given(st.lists(st.tuples(st.binary(max_size=80), st.floats(0, 1e6)), max_size=20))
def test_any_bytes_become_readings_or_a_decode_error(messages):
    decoder = roller_v1.RollerV1Decoder(INFO)
    items = []
    for message, arrival_s in messages:
        try:
            items += decoder.decode(message, arrival_s)
        except DecodeError:
            continue
    assert_in_order(items)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, 2**32 - 1), st.integers(0, 3), st.floats(0, 1e5)
        ),
        max_size=30,
    )
)
def test_whatever_clock_and_sequence_do_times_increase(packets):
    decoder = roller_v1.RollerV1Decoder(INFO)
    items = []
    for seq, t_us, n, arrival_s in packets:
        try:
            items += decoder.decode(
                struct.pack("<HIBB", seq, t_us, 1, n) + bytes(12 * n), arrival_s
            )
        except DecodeError:
            continue
    assert_in_order(items)


@pytest.mark.parametrize("parse", [roller_v1.parse_info, roller_v1.parse_config])
@given(data=st.binary(max_size=30))
def test_any_bytes_of_the_other_characteristics(parse, data):
    with suppress(DecodeError):
        parse(data)


@given(
    arrivals=st.lists(st.sampled_from(["kept", "lost", "doubled"]), min_size=2, max_size=60),
    start_us=st.integers(0, 2**32 - 1),
    start_seq=st.integers(0, 2**16 - 1),
    lateness_s=st.lists(st.floats(0, 0.2), min_size=60, max_size=60),
)
def test_losses_copies_and_wraps_are_counted_right(arrivals, start_us, start_seq, lateness_s):
    arrivals = ["kept", *arrivals, "kept"]
    decoder = roller_v1.RollerV1Decoder(INFO)
    items = []
    for k, what in enumerate(arrivals):
        for _ in range({"kept": 1, "lost": 0, "doubled": 2}[what]):
            late_s = lateness_s[k % 60]
            items += decoder.decode(packet(k, start_us, start_seq), k * N * 0.01 + late_s)
    assert_in_order(items)
    lost = N * arrivals.count("lost")
    assert sum(i.lost for i in items if isinstance(i, SignalGap)) == lost
    assert len(times_of(items)) == N * len(arrivals) - lost
    t_s = times_of(items)
    np.testing.assert_allclose(t_s[-1] - t_s[0], (N * len(arrivals) - 1) * 0.01, atol=1e-6)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
VALUES = st.fixed_dictionaries({axis: st.floats(-1e3, 1e3) for axis in "xyz"})
READING = st.fixed_dictionaries(
    {
        "name": st.sampled_from((*sensor_logger._SENSORS, "light")),
        "time": st.integers(0, 2**62) | st.integers(10**18, 10**18 + 3 * 10**9),
        "values": VALUES | JSON,
    }
)
MESSAGE = st.fixed_dictionaries(
    {
        "messageId": st.integers(-1, 8),
        "sessionId": st.sampled_from("ab"),
        "deviceId": st.just("phone"),
        "payload": st.lists(READING, max_size=12),
    }
)


@given(st.lists(st.tuples(MESSAGE | JSON, st.floats(0, 1e4)), max_size=8))
def test_any_json_becomes_readings_or_a_decode_error(messages):
    decoder = sensor_logger.SensorLoggerDecoder()
    items = []
    for message, arrival_s in messages:
        try:
            items += decoder.decode(json.dumps(message).encode(), arrival_s)
        except DecodeError:
            continue
    assert_in_order(items)


@given(st.binary(max_size=200))
def test_any_body_becomes_readings_or_a_decode_error(body):
    with suppress(DecodeError):
        assert_in_order(sensor_logger.SensorLoggerDecoder().decode(body, 0.0))


NUMBERS = st.none() | st.integers(-(2**70), 2**70) | st.floats(-1e6, 1e6)
THREE = st.lists(st.none() | st.floats(-50, 50), min_size=3, max_size=3)
BATCH = st.fixed_dictionaries(
    {
        "v": st.just(1) | st.integers(0, 2),
        "ts": st.integers(10**12, 10**12 + 10**5) | st.integers(0, 2**62),
        "seq": st.integers(-1, 8),
        "t_ms": st.just([0.0, 10.0, 20.0]) | st.lists(NUMBERS, max_size=4),
        **{f"a{axis}_mps2": THREE for axis in "xyz"},
    },
    optional={f"g{axis}_radps": THREE | st.lists(NUMBERS, max_size=4) for axis in "xyz"},
)


@given(st.lists(BATCH.map(json.dumps).map(str.encode) | st.binary(max_size=60), max_size=6))
def test_any_batch_over_mqtt_becomes_readings_or_a_decode_error(bodies):
    roller, items = ImuRoller("rt-1", 1e9), []
    for body in bodies:
        try:
            items += roller.take(read_batch(body), 0.0)
        except DecodeError:
            continue
    assert_in_order([item for item in items if isinstance(item, ImuSamples | SignalGap)])
    for block in (item for item in items if isinstance(item, ImuSamples)):
        assert not np.isinf(block.accel_mps2).any()
