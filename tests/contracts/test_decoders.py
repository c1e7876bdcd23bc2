"""What every decoder promises, asked of every decoder there is."""

import json
import pkgutil
import struct

import numpy as np
import pytest

import rolltrack.sensors.decoders as package
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sensors import registry
from rolltrack.sensors.decoders import roller_v1, sensor_logger


def roller():
    """Packets before and after both counters wrap, one doubled, one lost."""

    def packet(k):
        header = struct.pack(
            "<HIBB", (65_530 + k) % 2**16, (4_294_500_000 + k * 40_000) % 2**32, 1, 4
        )
        return header + struct.pack("<6h", 0, 0, 5021, 0, 0, k) * 4

    info = roller_v1.RollerInfo(10_000_000, 1 / 512, 1 / 1024, None, None, 0)
    return roller_v1.RollerV1Decoder(info), [packet(k) for k in (0, 1, 1, 3, *range(4, 30))]


def phone():
    def body(n):
        times = [10**18 + (10 * n + k) * 10**7 for k in range(10)]
        payload = [
            {"name": name, "time": t, "values": {"x": 0.1, "y": 0.0, "z": 9.8}}
            for t in times
            for name in ("totalacceleration", "gyroscope")
        ]
        return json.dumps({"messageId": n, "sessionId": "s", "payload": payload}).encode()

    return sensor_logger.SensorLoggerDecoder(), [body(n) for n in (0, 1, 1, 3, 2, 9, 10, 11, 12)]


DECODERS = {"roller_v1": roller, "sensor_logger": phone}
every_decoder = pytest.mark.parametrize("make", DECODERS.values(), ids=DECODERS)


def test_no_decoder_is_left_out():
    assert {module.name for module in pkgutil.iter_modules(package.__path__)} == set(DECODERS)


def test_services_are_full_lower_case_uuids():
    for service in registry.SERVICE_UUIDS:
        assert service == service.lower()
        assert len(service) == 36


@every_decoder
def test_times_increase_and_gaps_stand_between_readings(make):
    decoder, messages = make()
    last_s = -np.inf
    assert decoder.last_s == -np.inf
    for k, message in enumerate(messages):
        for item in decoder.decode(message, float(k)):
            if isinstance(item, SignalGap):
                assert item.start_s == last_s < item.end_s
                continue
            assert isinstance(item, ImuSamples)
            assert (np.diff(item.t_s, prepend=last_s) > 0).all()
            last_s = item.t_s[-1]
        assert decoder.last_s == last_s
    assert np.isfinite(last_s)


@every_decoder
@pytest.mark.parametrize("message", [b"", b"\0", b"{}[", b"\xff" * 300])
def test_what_cannot_be_decoded_is_a_decode_error_and_the_stream_goes_on(make, message):
    decoder, messages = make()
    with pytest.raises(DecodeError) as caught:
        decoder.decode(message, 0.0)
    assert "\n" not in str(caught.value)
    assert decoder.decode(messages[0], 0.1)


@every_decoder
def test_decoding_again_gives_the_same(make):
    def run():
        decoder, messages = make()
        items = [i for k, m in enumerate(messages) for i in decoder.decode(m, float(k))]
        return [
            i
            if isinstance(i, SignalGap)
            else (i.t_s.tolist(), repr(i.accel_mps2), repr(i.gyro_radps))
            for i in items
        ]

    assert run() == run()
