"""Messages that are made to hurt end as a DecodeError and nothing else."""

import contextlib
import json

import numpy as np
import pytest

from rolltrack.errors import DecodeError
from rolltrack.sensors.decoders.sensor_logger import SensorLoggerDecoder
from rolltrack.sources.imu_batch import read_batch, samples_of


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
    given = []
    for number, value in enumerate([9.81, 1e308, 1e160, 9.81]):
        given += decoder.decode(message(number, 10**9 * number, value), float(number))
    accel = np.concatenate([item.accel_mps2 for item in given])
    assert np.abs(accel).max() == 9.81
    assert len(accel) == 4


def batch(ts):
    readings = '"t_ms":[0.0],"ax_mps2":[0.0],"ay_mps2":[0.0],"az_mps2":[9.8]'
    return f'{{"v":1,"ts":{ts},"seq":0,{readings}}}'.encode()


@pytest.mark.parametrize("body", [b"[" * 100_000, batch("[" * 100_000)])
def test_batches_that_are_deep(body):
    with pytest.raises(DecodeError, match="not a batch"):
        read_batch(body)


@pytest.mark.parametrize("ts", ["1" + "0" * 400, "9007199254740992", "-1"])
def test_batches_from_no_time(ts):
    assert len(samples_of(read_batch(batch("1763900000000")), 1_763_900_000_000)) == 1
    with pytest.raises(DecodeError):
        read_batch(batch(ts))
