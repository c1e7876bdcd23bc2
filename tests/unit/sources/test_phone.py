from __future__ import annotations

import asyncio
import json
import logging
import socket
from contextlib import asynccontextmanager

import numpy as np
import pytest
from support.phone_emulator import Phone, push, replay

from rolltrack.config import PhoneConfig
from rolltrack.core.events import LinkChanged
from rolltrack.core.sample import ImuSamples
from rolltrack.errors import UsageError
from rolltrack.sources import phone as phone_module
from rolltrack.sources.phone import PhoneSource
from rolltrack.sources.phone_app import MAX_BODY_BYTES

EPOCH_UNIX_S = 1_763_900_000.0


@asynccontextmanager
async def listening(**config):
    """A source that serves, its address, and what it has delivered."""
    source = PhoneSource(PhoneConfig(enabled=True, port=0, **config))
    delivered = []
    running = asyncio.create_task(source.run(lambda sensor, item: delivered.append((sensor, item))))
    up = asyncio.create_task(source.listening.wait())
    await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
    up.cancel()
    try:
        if running.done():
            await running
        yield source.url, delivered
    finally:
        running.cancel()
        await asyncio.wait({running})


def wobble(duration_s=5.0) -> ImuSamples:
    t_s = np.arange(round(duration_s * 100)) / 100
    angle = 0.3 * np.sin(t_s)
    zero = np.zeros_like(t_s)
    accel_mps2 = 9.81 * np.column_stack([np.sin(angle), zero, np.cos(angle)])
    gyro_radps = np.column_stack([zero, -0.3 * np.cos(t_s), zero])
    return ImuSamples(t_s, accel_mps2, gyro_radps)


async def pushed(url, phone, samples=None, **options):
    recording = wobble() if samples is None else samples
    return await asyncio.to_thread(
        replay, recording, url, phone, epoch_unix_s=EPOCH_UNIX_S, **options
    )


def readings(delivered, device_id) -> ImuSamples:
    return ImuSamples.join(
        [
            item
            for sensor, item in delivered
            if isinstance(item, ImuSamples) and sensor.sensor_id == device_id
        ]
    )


@pytest.mark.parametrize(
    "phone",
    [
        Phone(),
        Phone(shuffled=True),
        Phone(repeated=True),
        Phone(shuffled=True, repeated=True),
        Phone(ios=True),
    ],
    ids=["plain", "out of order", "duplicates", "both", "iPhone"],
)
async def test_readings_arrive_whole_and_once(phone):
    async with listening() as (url, delivered):
        answers = await pushed(url, phone)
    assert {status for status, _ in answers} == {200}
    got, sent = readings(delivered, phone.device_id), wobble()
    n = len(got)
    assert n >= len(sent) - 100, "at most the last second may wait for its neighbours"
    np.testing.assert_allclose(got.t_s, sent.t_s[:n], atol=1e-6)
    np.testing.assert_allclose(got.accel_mps2, sent.accel_mps2[:n], atol=1e-9)
    np.testing.assert_allclose(got.gyro_radps, sent.gyro_radps[:n], atol=1e-9)
    assert [item.up for _, item in delivered if isinstance(item, LinkChanged)] == [True]


async def test_many_phones_at_once_are_told_apart():
    phones = [Phone(device_id=f"phone-{n}") for n in range(5)]
    async with listening() as (url, delivered):
        await asyncio.gather(*(pushed(url, phone) for phone in phones))
    for phone in phones:
        got = readings(delivered, phone.device_id)
        assert len(got) >= 400
        assert (np.diff(got.t_s) > 0).all()


async def test_too_many_phones_are_told_so(monkeypatch):
    monkeypatch.setattr(phone_module, "MAX_PHONES", 2)
    async with listening() as (url, _):
        for n in range(2):
            await pushed(url, Phone(device_id=f"phone-{n}"))
        answers = await pushed(url, Phone(device_id="phone-2"))
    assert {status for status, _ in answers} == {499}
    assert "listens to 2 phones already" in answers[0][1]


async def test_a_phone_without_gravity_is_told_what_to_switch_on(caplog):
    async with listening() as (url, delivered):
        answers = await pushed(url, Phone(gravity=False))
    refused = [text for status, text in answers if status == 499]
    assert refused
    assert "switch on Gravity" in refused[0]
    assert not delivered
    assert caplog.text.count("switch on Gravity") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"payload": 3}',
        b'{"deviceId": ""}',
        json.dumps({"deviceId": "a\nb"}).encode(),
        json.dumps({"deviceId": "x" * 65}).encode(),
        b"\xff\xfe",
    ],
)
async def test_what_is_no_push_is_answered_with_the_reason(body):
    async with listening() as (url, delivered):
        status, text = await asyncio.to_thread(push, url, body)
        good = await pushed(url, Phone())
    assert status == 400
    assert len(text) > 10
    assert {status for status, _ in good} == {200}
    assert delivered


async def test_a_body_beyond_the_limit_is_refused():
    async with listening() as (url, _):
        status, text = await asyncio.to_thread(push, url, b" " * (MAX_BODY_BYTES + 1))
    assert status == 413
    assert "shorter batch period" in text


async def test_without_the_token_nothing_gets_in(tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text("open-sesame\n")
    async with listening(token_file=str(token_file)) as (url, delivered):
        for wrong in ("", "?token=open", "?token=%F6", "?token="):
            answers = await pushed(url + wrong, Phone())
            assert {status for status, _ in answers} == {401}
        answers = await pushed(url, Phone(), token="open")
        assert {status for status, _ in answers} == {401}
        assert not delivered
        answers = await pushed(url, Phone(), token="open-sesame")
        assert {status for status, _ in answers} == {200}
        answers = await pushed(url + "?token=open-sesame", Phone(device_id="other"))
        assert {status for status, _ in answers} == {200}
    assert delivered


async def test_the_token_is_never_logged(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    token_file = tmp_path / "token"
    token_file.write_text("open-sesame")
    async with listening(token_file=str(token_file)) as (url, _):
        await pushed(url + "?token=open-sesame", Phone())
    assert f"push URL for Sensor Logger: {url}" in caplog.text
    assert "open-sesame" not in caplog.text


@pytest.mark.parametrize("content", [None, "", "\n"])
async def test_a_token_file_without_a_token_is_an_error(tmp_path, content):
    token_file = tmp_path / "token"
    if content is not None:
        token_file.write_text(content)
    with pytest.raises(UsageError, match="token file"):
        async with listening(token_file=str(token_file)):
            pass


async def test_a_port_in_use_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        source = PhoneSource(PhoneConfig(port=taken.getsockname()[1]))
        with pytest.raises(UsageError, match=r"cannot listen for phones on 127\.0\.0\.1:"):
            await source.run(lambda sensor, item: None)


async def test_listening_everywhere_asks_for_this_computers_address(tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text("open-sesame")
    async with listening(host="0.0.0.0", token_file=str(token_file)) as (url, _):
        assert url.startswith("http://ADDRESS-OF-THIS-COMPUTER:")


async def test_it_listens_on_loopback_only_and_answers_a_browser():
    async with listening() as (url, _):
        assert url.startswith("http://127.0.0.1:")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2][:-1]))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert b"200 OK" in answer
    assert b"rolltrack listens" in answer
