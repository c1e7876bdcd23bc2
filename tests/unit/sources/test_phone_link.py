from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from support.phone_emulator import Phone

from rolltrack.core.events import LinkChanged
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.sensors.decoder import SetupFault
from rolltrack.sensors.decoders.sensor_logger import parse_push
from rolltrack.sources.phone_link import PhoneLink
from rolltrack.sources.source import TimePassed

EPOCH_UNIX_S = 1_763_900_000.0


def pushes(duration_s, start_s=0.0, **setup):
    """One recording of the app, in messages of a second."""
    t_s = start_s + np.arange(round(duration_s * 100)) / 100
    samples = ImuSamples(t_s, np.tile([0.0, 0.0, 9.81], (len(t_s), 1)))
    messages = Phone(batch_s=1.0, **setup).messages(samples, EPOCH_UNIX_S)
    return [parse_push(json.dumps(message).encode()) for message in messages]


def kinds(items):
    return [type(item) for item in items]


def test_the_first_readings_introduce_the_phone():
    phone = PhoneLink("device-1")
    assert phone.sensor is None
    items = [item for n, push in enumerate(pushes(3)) for item in phone.take(push, 100.0 + n)]
    assert kinds(items)[:2] == [LinkChanged, ImuSamples]
    assert items[0].up
    assert LinkChanged not in kinds(items[1:])
    assert phone.sensor.kind == "phone"
    assert phone.sensor.sensor_id == "device-1"
    assert phone.sensor.epoch_unix_s == pytest.approx(EPOCH_UNIX_S, abs=1e-3)
    assert ImuSamples.join([i for i in items if isinstance(i, ImuSamples)]).t_s[0] == 0.0


def test_silence_passes_time_then_loses_the_link_and_return_is_a_gap():
    phone = PhoneLink("device-1")
    before = [item for push in pushes(3) for item in phone.take(push, 100.0)]
    last_s = float(before[-1].t_s[-1])
    assert phone.tick(101.0) == []
    assert phone.tick(102.0) == [TimePassed(last_s + 2.0)]
    assert phone.tick(105.0) == [LinkChanged(last_s + 5.0, up=False), TimePassed(last_s + 5.0)]
    assert phone.tick(106.0) == [TimePassed(last_s + 6.0)]
    after = [item for push in pushes(3, 10.0) for item in phone.take(push, 107.0)]
    up, gap, readings = after[:3]
    assert up == LinkChanged(gap.end_s, up=True)
    assert isinstance(gap, SignalGap)
    assert (gap.start_s, gap.end_s) == (last_s, float(readings.t_s[0]))
    assert gap.reason == "no_data"
    assert phone.tick(108.0) == []


def test_a_phone_that_never_sent_readings_is_silent():
    phone = PhoneLink("device-1")
    *earlier, last = pushes(10, gravity=False)
    for push in earlier:
        with suppress(SetupFault):
            phone.take(push, 100.0)
    with pytest.raises(SetupFault, match="switch on Gravity"):
        phone.take(last, 100.0)
    assert phone.sensor is None
    assert phone.tick(200.0) == []


def test_a_push_with_a_wrong_number_does_not_silence_the_phone():
    phone, items = PhoneLink("device-1"), []
    for second, push in enumerate(pushes(30)):
        wrong = replace(push, message_id=10**9) if second == 5 else push
        items += phone.take(wrong, 100.0 + second)
    readings = [item for item in items if isinstance(item, ImuSamples)]
    assert ImuSamples.join(readings).t_s[-1] == pytest.approx(29.99)
    assert sum(map(len, readings)) >= 2900
    assert phone.tick(130.0) == []


def test_a_phone_whose_clock_is_set_has_another_epoch_and_time_goes_on():
    phone, items = PhoneLink("device-1"), []
    for second, push in enumerate(pushes(3) + pushes(3, start_s=-7200.0)):
        items += phone.take(push, 100.0 + second)
    assert phone.sensor.epoch_unix_s == pytest.approx(EPOCH_UNIX_S - 7203, abs=0.1)
    readings = ImuSamples.join([item for item in items if isinstance(item, ImuSamples)])
    assert readings.t_s[-1] == pytest.approx(5.99, abs=0.1)
