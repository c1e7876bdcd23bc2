"""A phone with Sensor Logger: pushes a trace as the app would, in its JSON, over HTTP.

    python tests/support/phone_emulator.py TRACE URL --speed 10

Shapes and units are the app's own (see docs in github.com/tszheichoi/awesome-sensor-logger).
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.traces.reader import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.core.sample import FloatArray, ImuSamples

STANDARD_GRAVITY_MPS2 = 9.80665


@dataclass(frozen=True, slots=True)
class Phone:
    """How one phone is set up.

    Attributes:
        device_id: the app's id of the phone.
        batch_s: the app's batch period.
        gravity: whether the Gravity sensor is switched on.
        ios: an iPhone without "Standardise Units & Frames", which sends the uncalibrated
            accelerometer: in g, all signs turned round.
        shuffled: every second message overtakes the one before it.
        repeated: every third message arrives twice.
    """

    device_id: str = "5a9f1c2e-emulated"
    batch_s: float = 0.2
    gravity: bool = True
    ios: bool = False
    shuffled: bool = False
    repeated: bool = False

    def messages(self, samples: ImuSamples, epoch_unix_s: float) -> Iterator[dict]:
        """One recording, as the bodies of its pushes in the order of their arrival."""
        session_id = str(uuid.uuid4())
        in_order = [
            {
                "messageId": number,
                "sessionId": session_id,
                "deviceId": self.device_id,
                "payload": self._payload(batch, epoch_unix_s),
            }
            for number, batch in enumerate(batches(samples, self.batch_s))
        ]
        if self.shuffled:
            pairs = itertools.zip_longest(in_order[::2], in_order[1::2])
            in_order = [message for pair in pairs for message in reversed(pair) if message]
        for number, message in enumerate(in_order):
            yield message
            if self.repeated and number % 3 == 2:
                yield message

    def _payload(self, batch: ImuSamples, epoch_unix_s: float) -> list[dict]:
        origin_ns = round(epoch_unix_s * 1e9)
        times_ns = [origin_ns + round(t_s * 1e9) for t_s in batch.t_s.tolist()]
        payload = []
        if batch.accel_mps2 is not None:
            for name, values in self._accelerometer(batch.accel_mps2):
                payload += entries(name, times_ns, values)
        if batch.gyro_radps is not None:
            payload += entries("gyroscope", times_ns, batch.gyro_radps)
        return payload

    def _accelerometer(self, accel_mps2: FloatArray) -> list[tuple[str, FloatArray]]:
        if self.ios:
            return [("accelerometeruncalibrated", -accel_mps2 / STANDARD_GRAVITY_MPS2)]
        norm = np.linalg.norm(accel_mps2, axis=1, keepdims=True)
        gravity = accel_mps2 / np.maximum(norm, 1e-9) * STANDARD_GRAVITY_MPS2
        split = [("accelerometer", accel_mps2 - gravity)]
        return [*split, ("gravity", gravity)] if self.gravity else split


def batches(samples: ImuSamples, batch_s: float) -> Iterator[ImuSamples]:
    """Cut readings into what the app collects between two pushes."""
    number = np.floor((samples.t_s - samples.t_s[0]) / batch_s + 1e-9)
    cuts = [0, *(np.flatnonzero(np.diff(number)) + 1), len(samples)]
    return (samples[start:end] for start, end in itertools.pairwise(cuts))


def entries(name: str, times_ns: list[int], values: FloatArray) -> list[dict]:
    return [
        {"name": name, "time": t_ns, "values": dict(zip("xyz", row, strict=True)), "accuracy": 3}
        for t_ns, row in zip(times_ns, values.tolist(), strict=True)
    ]


def push(url: str, message: dict | bytes, token: str | None = None) -> tuple[int, str]:
    """POST one message; status and text of the answer."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()


def replay(
    samples: ImuSamples,
    url: str,
    phone: Phone,
    *,
    epoch_unix_s: float,
    speed: float | None = None,
    token: str | None = None,
) -> list[tuple[int, str]]:
    """Push a whole recording, `speed` times as fast as it was; None does not wait."""
    began_s = time.monotonic()
    answers = []
    for message in phone.messages(samples, epoch_unix_s):
        if speed is not None and message["payload"]:
            due_s = (message["payload"][0]["time"] / 1e9 - epoch_unix_s - samples.t_s[0]) / speed
            time.sleep(max(0.0, began_s + due_s - time.monotonic()))
        answers.append(push(url, message, token))
    return answers


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace")
    parser.add_argument("url")
    parser.add_argument("--speed", type=float, default=1.0, help="times real time; 0 waits never")
    parser.add_argument("--token")
    parser.add_argument("--device-id", default=Phone().device_id)
    for option in ("--ios", "--shuffled", "--repeated", "--no-gravity"):
        parser.add_argument(option, action="store_true")
    options = parser.parse_args()
    phone = Phone(
        device_id=options.device_id,
        gravity=not options.no_gravity,
        ios=options.ios,
        shuffled=options.shuffled,
        repeated=options.repeated,
    )
    trace = read_trace(options.trace)
    epoch_unix_s = trace.meta.started_at_unix_s or time.time() - float(trace.samples.t_s[0])
    answers = replay(
        trace.samples,
        options.url,
        phone,
        epoch_unix_s=epoch_unix_s,
        speed=options.speed or None,
        token=options.token,
    )
    refused = sorted({answer for answer in answers if answer[0] != 200})
    for status, text in refused:
        print(f"{status}: {text.strip()}", file=sys.stderr)  # noqa: T201  # a script
    print(f"{len(answers)} pushes")  # noqa: T201  # the same
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
