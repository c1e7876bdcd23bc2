"""Raw readings over a real broker end as the same session that a replay gives."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from support import rolling
from support.mqtt_listener import listening

from rolltrack import wire
from rolltrack.broker import embedded_broker
from rolltrack.config import Config
from rolltrack.core.events import SessionEnded
from rolltrack.core.tracker import Tracker
from rolltrack.errors import DecodeError
from rolltrack.mqtt import MqttLink
from rolltrack.service import run_service
from rolltrack.sinks.mqtt import MqttSink, link_of_site
from rolltrack.sources.imu_batch import read_batch, samples_of
from rolltrack.sources.imu_roller import ImuRoller
from rolltrack.sources.mqtt_imu import MqttImuSource

SITE = "home"
TOPIC = wire.Topics(SITE).imu("pocket-1")
EPOCH_MS = 1_763_900_000_000
ROLL = rolling.to_and_fro([0.2, -0.2, 0.2], 0.06)


def batches(samples, n=50):
    for seq, at in enumerate(range(0, len(samples), n)):
        part = samples[at : at + n]
        first_ms = round(float(part.t_s[0]) * 1000)
        columns = {
            name: tuple(float(x) for x in values)
            for names, table in (
                (("ax_mps2", "ay_mps2", "az_mps2"), part.accel_mps2),
                (("gx_radps", "gy_radps", "gz_radps"), part.gyro_radps),
            )
            for name, values in zip(names, table.T, strict=True)
        }
        t_ms = tuple(float(t) * 1000 - first_ms for t in part.t_s)
        yield wire.ImuBatch(ts=EPOCH_MS + first_ms, seq=seq, t_ms=t_ms, **columns)


@pytest.mark.broker
async def test_readings_over_mqtt_give_the_strokes_of_a_replay():
    offline = Tracker(rolling.setup(live=False))
    offline.feed(ROLL.samples)
    (expected,) = [e for e in offline.finish() if isinstance(e, SessionEnded)]
    async with embedded_broker() as broker, listening(broker.port) as listener:
        link = link_of_site(broker.peer, SITE)
        stop, sent = asyncio.Event(), asyncio.Queue()
        service = asyncio.create_task(
            run_service(
                Config(),
                sources=[MqttImuSource(link, SITE)],
                sinks=[MqttSink(link, SITE)],
                stop=stop,
            )
        )
        await listener.until_topic("/bridge/status", b"online")
        sender = MqttLink(broker.peer, client_id="pocket")
        sender.when_delivered(sent.put_nowait)
        up = asyncio.Event()
        sender.when_up(up.set)
        sender.start()
        await up.wait()
        sender.send(wire.Message(TOPIC, b"no JSON"))
        for batch in batches(ROLL.samples):
            if batch.seq == 5:  # one with a clock that is years ahead
                wrong = msgspec.structs.replace(batch, ts=2 * EPOCH_MS)
                sender.send(wire.Message(TOPIC, wire.encode(wrong)))
            for _ in range(2):  # a broker may deliver twice
                sender.send(wire.Message(TOPIC, wire.encode(batch)))
        for _ in range(2 + 2 * len(list(batches(ROLL.samples)))):
            await sent.get()
        await listener.until(lambda m: m.leaf == "stroke" and m.json()["n"] == 2)
        stop.set()
        await service
        await sender.stop()
        session = (await listener.until(lambda m: "/session/" in m.topic)).json()
    assert session["roller"] == "pocket-1"
    assert session["strokes"] == expected.summary.strokes == 3
    assert session["samples_lost"] == session["gaps"] == 0
    assert session["distance_m"] == pytest.approx(expected.summary.distance_m, rel=0.01)


def test_holes_and_new_recordings_are_told():
    first, second, third, fourth = list(batches(ROLL.samples))[:4]
    roller = ImuRoller("pocket-1", EPOCH_MS / 1000)
    assert len(roller.take(first, 0.0)) == 2
    assert roller.take(first, 0.1) == []
    gap, samples = roller.take(third, 0.2)
    assert (gap.reason, len(samples)) == ("packets_lost", 50)
    assert roller.take(second, 0.3) == []

    gap, _ = roller.take(msgspec.structs.replace(fourth, seq=0), 0.4)
    assert gap.reason == "clock_reset"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"t_ms": (0.0, 0.0)}, "does not increase"),
        ({"ax_mps2": (1.0,)}, "ax_mps2 needs as many"),
        ({"ay_mps2": None}, "ay_mps2 needs as many"),
        ({"az_mps2": (1e6, 0.0)}, "beyond 1000"),
        ({"ax_mps2": None, "ay_mps2": None, "az_mps2": None}, "a batch needs all of"),
    ],
)
def test_what_no_sensor_sends_is_refused(changes, complaint):
    base = {"t_ms": (0.0, 10.0), **dict.fromkeys(("ax_mps2", "ay_mps2", "az_mps2"), (1.0, None))}
    batch = wire.ImuBatch(ts=EPOCH_MS, seq=0, **(base | changes))
    with pytest.raises(DecodeError, match=complaint):
        samples_of(read_batch(wire.encode(batch)), EPOCH_MS)
