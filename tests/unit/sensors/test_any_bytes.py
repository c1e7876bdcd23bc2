"""Messages that are made to hurt end as a DecodeError and nothing else."""

import contextlib
import json

import numpy as np
import pytest

from rolltrack.errors import DecodeError
from rolltrack.sensors.decoders.sensor_logger import SensorLoggerDecoder
from rolltrack.sources.imu_batch import read_batch


def message(number, time_ns, value=9.81):
    values = {"x": value, "y": 0.0, "z": 0.0}
    payload = [{"name": "totalacceleration", "time": time_ns + k, "values": values} for k in (0, 1)]
    return json.dumps({"messageId": number, "sessionId": "s", "payload": payload}).encode()


def test_a_phone_whose_clock_jumps_by_decades():
    decoder = SensorLoggerDecoder()
    given = []
    for number in range(12):
        with contextlib.suppress(DecodeError):
            given += decoder.decode(message(number, (number % 2) * (2**62 - 1)), float(number))
    assert given


def test_values_that_no_sensor_gives_are_no_readings():
    decoder = SensorLoggerDecoder()
    for number, value in enumerate([9.81, 1e308, 1e160, 9.81]):
        for item in decoder.decode(message(number, 10**9 * number, value), float(number)):
            accel = getattr(item, "accel_mps2", None)
            assert accel is None or np.nanmax(np.abs(accel)) < 10


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"t_ms":' + b"[" * 100_000, b'{"v":1,"ts":1' + b"0" * 400 + b"}"]
)
def test_batches_of_readings(body):
    with pytest.raises(DecodeError):
        read_batch(body)
