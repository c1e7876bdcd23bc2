import json
import math

import numpy as np
import pytest

from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sensors.decoder import SetupFault
from rolltrack.sensors.decoders.sensor_logger import SensorLoggerDecoder, parse_push

START_NS = 1_698_501_144_401_773_000
PUSHED = np.array([0.5, 0.0, -0.25])
ROTATION = 3.0
"""rad/s about z: gravity turns through the sensor's x and y axes."""


def entry(name, t_ns, xyz, **more):
    return {"name": name, "time": t_ns, "values": dict(zip("xyz", xyz, strict=True)), **more}


def gravity(t_s):
    return 9.81 * np.array([math.sin(ROTATION * t_s), math.cos(ROTATION * t_s), 0.0])


def readings(k, *, sensors, offsets_ns):
    t_ns = START_NS + k * 10_000_000
    for name in sensors:
        at_ns = t_ns + offsets_ns.get(name, 0)
        t_s = (at_ns - START_NS) * 1e-9
        values = {
            "accelerometer": PUSHED,
            "gravity": gravity(t_s),
            "totalacceleration": gravity(t_s) + PUSHED,
            "accelerometeruncalibrated": -(gravity(t_s) + PUSHED) / 9.80665,
            "gyroscope": (0.0, t_s, ROTATION),
        }[name]
        yield entry(name, at_ns, values, accuracy=3)


def message(
    n, *, sensors=("accelerometer", "gravity", "gyroscope"), size=20, session="s", offsets_ns=None
):
    payload = [
        e
        for k in range(n * size, (n + 1) * size)
        for e in readings(k, sensors=sensors, offsets_ns=offsets_ns or {})
    ]
    return json.dumps(
        {"messageId": n, "sessionId": session, "deviceId": "phone", "payload": payload}
    ).encode()


def decode(*messages, decoder=None):
    decoder = decoder or SensorLoggerDecoder()
    items = []
    for k, body in enumerate(messages):
        items += decoder.decode(body, 0.2 * (k + 1))
    return items


def joined(items):
    blocks = [item for item in items if isinstance(item, ImuSamples)]
    t_s = np.concatenate([b.t_s for b in blocks])
    assert (np.diff(t_s) > 0).all()
    accel = None if blocks[0].accel_mps2 is None else np.concatenate([b.accel_mps2 for b in blocks])
    gyro = None if blocks[0].gyro_radps is None else np.concatenate([b.gyro_radps for b in blocks])
    return t_s, accel, gyro


def expected_accel(t_s):
    return np.array([gravity(t) + PUSHED for t in t_s])


def test_accelerometer_and_gravity_of_one_instant_are_added_without_delay():
    decoder = SensorLoggerDecoder()
    (block,) = decoder.decode(message(0), 0.2)
    np.testing.assert_allclose(block.t_s, 0.01 * np.arange(20), atol=1e-9)
    np.testing.assert_allclose(block.accel_mps2, expected_accel(block.t_s))
    np.testing.assert_allclose(block.gyro_radps[:, 1], block.t_s, atol=1e-9)
    assert decoder.epoch_unix_s == pytest.approx(START_NS * 1e-9, abs=1e-6)
    assert decoder.last_s == pytest.approx(0.19)


def test_sensors_with_clock_ticks_of_their_own_are_interpolated():
    offsets = {"gravity": 4_000_000, "gyroscope": -3_000_000}
    t_s, accel, gyro = joined(decode(*(message(n, offsets_ns=offsets) for n in range(5))))
    assert len(t_s) >= 98
    np.testing.assert_allclose(accel[1:-1], expected_accel(t_s)[1:-1], atol=2e-3)
    np.testing.assert_allclose(gyro[1:-1, 1], t_s[1:-1], atol=1e-6)


@pytest.mark.parametrize("name", ["totalacceleration", "accelerometeruncalibrated"])
def test_sensors_that_have_gravity_are_used_as_they_are(name):
    sensors = ("accelerometer", name, "gyroscope")
    t_s, accel, _ = joined(decode(message(0, sensors=sensors), message(1, sensors=sensors)))
    assert len(t_s) == 40
    np.testing.assert_allclose(accel, expected_accel(t_s), atol=1e-6)


def test_an_uncalibrated_accelerometer_in_mps2_keeps_its_sign():
    payload = [
        entry("accelerometeruncalibrated", START_NS + k * 10_000_000, (0, 0, 9.8))
        for k in range(20)
    ]
    (block,) = decode(json.dumps({"messageId": 0, "payload": payload}))
    assert (block.accel_mps2[:, 2] == 9.8).all()


def test_an_uncalibrated_accelerometer_in_no_known_unit_is_refused():
    payload = [
        entry("accelerometeruncalibrated", START_NS + k * 10_000_000, (0, 0, 980))
        for k in range(120)
    ]
    with pytest.raises(DecodeError, match="neither 1 g nor 9"):
        decode(json.dumps({"messageId": 0, "payload": payload}))


def test_gravity_free_accelerometer_is_told_to_the_phone():
    decoder = SensorLoggerDecoder()
    sensors = ("accelerometer", "gyroscope")
    with pytest.raises(SetupFault, match="switch on Gravity"):
        decode(*(message(n, sensors=sensors) for n in range(8)), decoder=decoder)
    # Set right for the next recording: it works.
    assert joined(decode(message(0, session="t"), decoder=decoder))[1] is not None


def test_no_motion_sensor_is_told_to_the_phone():
    body = {
        "payload": [
            {"name": "light", "time": START_NS + k * 10**9, "values": {"lux": 3}} for k in range(3)
        ]
    }
    with pytest.raises(SetupFault, match="switch on Accelerometer"):
        decode(json.dumps(body))


def test_a_gyroscope_alone_is_enough():
    t_s, accel, gyro = joined(decode(*(message(n, sensors=("gyroscope",)) for n in range(8))))
    assert accel is None
    assert len(t_s) == 160
    np.testing.assert_allclose(gyro[:, 2], ROTATION)


def test_an_accelerometer_without_gyroscope_is_enough():
    t_s, _, gyro = joined(decode(message(0, sensors=("accelerometer", "gravity"))))
    assert len(t_s) == 20
    assert gyro is None


@pytest.mark.parametrize(
    "order", [(0, 2, 1, 3, 4), (1, 0, 2, 3, 4), (0, 1, 2, 4, 3), (2, 1, 0, 4, 3)]
)
def test_messages_that_overtake_each_other_are_put_in_order(order):
    items = decode(*(message(n) for n in order))
    assert all(isinstance(item, ImuSamples) for item in items)
    np.testing.assert_allclose(joined(items)[0], 0.01 * np.arange(100), atol=1e-9)


def test_copies_are_dropped():
    items = decode(message(0), message(0), message(1), message(0), message(1))
    assert len(joined(items)[0]) == 40


def renumbered(body, number):
    return json.dumps(json.loads(body) | {"messageId": number})


@pytest.mark.parametrize("number", [10**9, 40])
def test_one_message_with_a_wrong_number_costs_no_other(number):
    decoder = SensorLoggerDecoder()
    wrong = renumbered(message(10), number)
    items = decode(
        *(message(n) for n in range(10)),
        wrong,
        *(message(n) for n in range(11, 30)),
        decoder=decoder,
    )
    t_s = joined(items)[0]
    assert len(t_s) >= 29 * 20
    assert t_s[-1] == pytest.approx(5.99)
    assert all(gap.reason == "packets_lost" for gap in items if isinstance(gap, SignalGap))


def test_a_recording_whose_numbers_begin_anew_goes_on():
    bodies = [renumbered(message(n), n if n < 50 else n - 50) for n in range(100)]
    items = decode(*bodies)
    assert len(joined(items)[0]) == 100 * 20
    assert all(isinstance(item, ImuSamples) for item in items)


def test_a_lost_message_becomes_a_gap_with_its_readings():
    items = decode(*(message(n) for n in (0, 1, 3, 4, 5, 6, 7, 2)))
    (gap,) = [item for item in items if isinstance(item, SignalGap)]
    assert (gap.lost, gap.reason) == (20, "packets_lost")
    assert (gap.start_s, gap.end_s) == (pytest.approx(0.39), pytest.approx(0.6))
    assert len(joined(items)[0]) == 140


def test_a_second_recording_goes_on_after_a_gap():
    items = decode(message(0), message(1), message(30, session="t"))
    gap = items[-2]
    assert (gap.reason, gap.lost) == ("no_data", 0)
    assert (gap.start_s, gap.end_s) == (pytest.approx(0.39), pytest.approx(6.0))


def test_a_phone_that_sets_its_clock_back_leaves_a_clock_reset():
    decoder = SensorLoggerDecoder()
    decode(*(message(n) for n in range(10)), decoder=decoder)
    earlier = json.loads(message(10))
    for e in earlier["payload"]:
        e["time"] -= 3600 * 10**9
    gap, block = decoder.decode(json.dumps(earlier).encode(), 2.2)
    assert gap.reason == "clock_reset"
    assert block.t_s[0] > gap.start_s
    assert block.t_s[-1] == pytest.approx(2.2, abs=0.02)


def shifted(body, off_s, entries=slice(None)):
    moved = json.loads(body)
    for each in moved["payload"][entries]:
        each["time"] += off_s * 10**9
    return json.dumps(moved)


@pytest.mark.parametrize("off_s", [3 * 10**8, 3600, 100])
def test_one_message_with_a_time_far_ahead_does_not_take_the_stream_there(off_s):
    decoder = SensorLoggerDecoder()
    bodies = [message(n) for n in range(30)]
    bodies[10] = shifted(bodies[10], off_s)
    items = decode(*bodies, decoder=decoder)
    t_s = joined(items)[0]
    assert len(t_s) == 600
    assert t_s[-1] == pytest.approx(5.99, abs=0.02)
    gaps = [item for item in items if isinstance(item, SignalGap)]
    assert [gap.reason for gap in gaps] == ["clock_reset"] * 2
    assert decoder.epoch_unix_s == pytest.approx(START_NS * 1e-9, abs=0.02)


def test_readings_far_ahead_of_their_message_are_left_out():
    bodies = [message(n, sensors=("totalacceleration",)) for n in range(30)]
    bodies[10] = shifted(bodies[10], 3600, slice(-3, None))
    items = decode(*bodies)
    assert len(joined(items)[0]) == 597
    assert all(isinstance(item, ImuSamples) for item in items)


def test_a_phone_that_sets_its_clock_ahead_dates_what_comes_next_by_it():
    decoder = SensorLoggerDecoder()
    bodies = [shifted(message(n), 0 if n < 10 else 3600) for n in range(30)]
    items = decode(*bodies, decoder=decoder)
    (gap,) = [item for item in items if isinstance(item, SignalGap)]
    assert gap.reason == "clock_reset"
    assert joined(items)[0][-1] == pytest.approx(5.99, abs=0.02)
    assert decoder.epoch_unix_s == pytest.approx(START_NS * 1e-9 + 3600, abs=0.02)


def test_a_long_silence_is_no_clock_that_was_set():
    decoder = SensorLoggerDecoder()
    decode(*(message(n) for n in range(10)), decoder=decoder)
    kept, now = message(10), message(3000)
    items = decoder.decode(kept, 600.0) + decoder.decode(now, 600.01)
    items += [item for n in range(3001, 3005) for item in decoder.decode(message(n), 601.0)]
    (gap,) = [item for item in items if isinstance(item, SignalGap)]
    assert gap.reason == "packets_lost"
    assert gap.end_s == pytest.approx(600.0)


def test_a_silent_phones_last_readings_can_be_had():
    decoder = SensorLoggerDecoder()
    bodies = [message(n, offsets_ns={"gyroscope": -15_000_000}) for n in (0, 2)]
    held = decode(*bodies, decoder=decoder)
    assert len(joined(held)[0]) == 18
    items = held + decoder.flush(1.0)
    (gap,) = [item for item in items if isinstance(item, SignalGap)]
    assert (gap.lost, gap.reason) == (20, "packets_lost")
    assert len(joined(items)[0]) == 40
    assert decoder.flush(1.1) == []


def test_readings_without_values_are_left_out():
    body = json.loads(message(0))
    body["payload"][0]["values"]["x"] = None
    body["payload"][4].pop("values")
    (block,) = decode(json.dumps(body))
    assert len(block) == 19


def test_an_empty_message_says_nothing():
    assert decode(b'{"messageId":0,"sessionId":"a","deviceId":"b","payload":[]}') == []


def test_who_sent_it_can_be_read_first():
    push = parse_push(message(3))
    assert (push.message_id, push.session_id, push.device_id) == (3, "s", "phone")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"payload": 3}',
        b'{"payload": [{"name": "gyroscope"}]}',
        b'{"payload": [{"name": "gyroscope", "time": "now", "values": {"x": 1, "y": 1, "z": 1}}]}',
        b'{"payload": [{"name": "gyroscope", "time": 1, "values": {"x": "1", "y": 1, "z": 1}}]}',
        b'{"payload": [{"name": "gyroscope", "time": 1, "values": {"x": 1e999, "y": 1, "z": 1}}]}',
        b'{"payload": [{"name": "gyroscope", "time": 99999999999999999999, "values": {}}]}',
        b'{"payload": [' + b"[" * 100_000,
    ],
)
def test_what_is_not_a_message_is_a_decode_error(body):
    decoder = SensorLoggerDecoder()
    with pytest.raises(DecodeError, match="not a Sensor Logger message") as caught:
        decoder.decode(body, 0.0)
    assert "\n" not in str(caught.value)
    assert len(decode(message(0), decoder=decoder)) == 1
