"""How late a speed reaches a subscriber, and what that costs, beside a loop that only forwards.

Virtual rollers at 100 Hz, all being rolled; simulator, broker and the program under test are
processes of their own on loopback. Latency is from the newest reading that a message rests on (the
last of its packet) to the arrival at a subscriber. The alternative in the same run takes the same
packets through the same Bluetooth source and decoder, and forwards each with paho as it comes: no
estimate, no strokes, no sessions. When a reading was taken is known only up to the delay of a
connection's first packet, so zero is set, for both, where the forwarding loop is quickest: the mean
over its rollers of each one's quickest message.

python benchmarks/latency.py [--rollers 25] [--seconds 60] [--memory-minutes 0] [--json]

With --memory-minutes the service alone runs on, and the slope of its memory is fitted to the second
half of that time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import paho.mqtt.client as mqtt
import psutil
from load import BIN, process, wait_for_rollers
from paho.mqtt.enums import CallbackAPIVersion
from rich.console import Console
from rich.progress import track

from rolltrack import sample_trace
from rolltrack.broker import embedded_broker
from rolltrack.config import BleConfig
from rolltrack.core.sample import ImuSamples
from rolltrack.sources.ble import BleSource

if TYPE_CHECKING:
    from rolltrack.broker import EmbeddedBroker
    from rolltrack.sources.source import Item, Sensor

WARM_UP_S = 15.0
"""Sessions have begun, estimators know their sensors, and everything is imported."""
SAMPLE_S = 5.0


@dataclass
class Subscriber:
    """Counts how late messages are; ages in ms."""

    broker: EmbeddedBroker
    topic: str
    ages_ms: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._take
        self._client.connect(self.broker.host, self.broker.port)
        self._client.subscribe(self.topic, 0)
        self._client.loop_start()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        now_ms = time.time() * 1000
        said = json.loads(message.payload)
        age_ms = now_ms - said["ts"] - said.get("lag_ms", 0)
        self.ages_ms.setdefault(message.topic, []).append(age_ms)


@dataclass(frozen=True)
class Figures:
    """What one program came to."""

    messages_per_s: float
    quickest_ms: float
    p50_ms: float
    p99_ms: float
    core_share: float
    rss_mb: float


async def measured(
    command: list[str], broker: EmbeddedBroker, topic: str, rollers: int, seconds: float
) -> Figures:
    """Run `command` beside a subscriber, once all rollers are being served."""
    with process(*command) as (child, _):
        if topic.endswith("live"):
            await asyncio.to_thread(wait_for_rollers, broker.host, broker.port, rollers)
        await asyncio.sleep(WARM_UP_S)
        program = psutil.Process(child.pid)
        subscriber = Subscriber(broker, topic)
        before, started = program.cpu_times(), time.perf_counter()
        await asyncio.sleep(seconds)
        after, took_s = program.cpu_times(), time.perf_counter() - started
        subscriber.close()
        busy_s = after.user + after.system - before.user - before.system
        ages_ms = np.concatenate([np.array(each) for each in subscriber.ages_ms.values()])
        p50, p99 = np.percentile(ages_ms, [50, 99])
        return Figures(
            messages_per_s=len(ages_ms) / took_s,
            quickest_ms=float(np.mean([min(each) for each in subscriber.ages_ms.values()])),
            p50_ms=float(p50),
            p99_ms=float(p99),
            core_share=busy_s / took_s,
            rss_mb=program.memory_info().rss / 1e6,
        )


def service_command(link: str, broker: EmbeddedBroker, folder: str) -> list[str]:
    """`rolltrack run` on these rollers."""
    run = [str(BIN / "rolltrack"), "run", "--ble", link, "--no-view"]
    return [*run, "--mqtt", f"{broker.host}:{broker.port}", "--store", f"{folder}/sessions.db"]


async def compare(rollers: int, seconds: float) -> tuple[Figures, Figures]:
    """The service and the forwarding loop, one after the other, each on a fresh simulator."""
    found = []
    for what in ("service", "forward"):
        with tempfile.TemporaryDirectory() as folder, simulator(rollers) as (_, ready):
            link = ready.removeprefix("ready ")
            async with embedded_broker() as broker:
                if what == "service":
                    command = service_command(link, broker, folder)
                    topic = "rolltrack/v1/+/a/+/+/live"
                else:
                    command = [sys.executable, __file__, "--forward", link]
                    command += [broker.host, str(broker.port)]
                    topic = "forwarded/+"
                found.append(await measured(command, broker, topic, rollers, seconds))
    zero_ms = found[1].quickest_ms
    return from_zero(found[0], zero_ms), from_zero(found[1], zero_ms)


def from_zero(figures: Figures, zero_ms: float) -> Figures:
    """The same latencies, counted from `zero_ms`."""
    return replace(
        figures,
        quickest_ms=figures.quickest_ms - zero_ms,
        p50_ms=figures.p50_ms - zero_ms,
        p99_ms=figures.p99_ms - zero_ms,
    )


def simulator(rollers: int):  # type: ignore[no-untyped-def]  # noqa: ANN201  # what `process` returns
    """That many rollers, all being rolled for ever."""
    command = [str(BIN / "rolltrack-sim"), "replay", str(sample_trace("back")), "--loop"]
    command += ["--ble", "tcp:127.0.0.1:0", "--count", str(rollers)]
    return process(*command, first_line=True)


async def memory_slope(rollers: int, minutes: float) -> dict[str, float]:
    """Megabytes the service grows by in an hour, fitted to the second half of the time."""
    with tempfile.TemporaryDirectory() as folder, simulator(rollers) as (_, ready):
        async with embedded_broker() as broker:
            command = service_command(ready.removeprefix("ready "), broker, folder)
            with process(*command) as (child, _):
                await asyncio.to_thread(wait_for_rollers, broker.host, broker.port, rollers)
                program, rows = psutil.Process(child.pid), []
                steps = range(round(minutes * 60 / SAMPLE_S))
                for _ in track(steps, "memory", console=Console(stderr=True)):
                    await asyncio.sleep(SAMPLE_S)
                    rows.append((time.monotonic(), program.memory_info().rss / 1e6))
    times_s, rss_mb = np.array(rows[len(rows) // 2 :]).T
    slope_mb_per_s, _ = np.polyfit(times_s, rss_mb, 1)
    return {
        "minutes": minutes,
        "rss_first_mb": float(rows[len(rows) // 2][1]),
        "rss_last_mb": float(rows[-1][1]),
        "slope_mb_per_h": float(slope_mb_per_s * 3600),
    }


async def forward(link: str, host: str, port: int) -> None:
    """The alternative: every packet goes on as it comes, until we are ended."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect(host, port)
    client.loop_start()

    def deliver(sensor: Sensor, item: Item) -> None:
        if isinstance(item, ImuSamples):
            ts = round((sensor.epoch_unix_s + float(item.t_s[-1])) * 1000)
            client.publish(f"forwarded/{sensor.sensor_id}", json.dumps({"ts": ts}))

    await BleSource(BleConfig(link=link)).run(deliver)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rollers", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--memory-minutes", type=float, default=0.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ours, bare = asyncio.run(compare(options.rollers, options.seconds))
    report: dict[str, object] = {
        "rollers": options.rollers,
        "service": vars(ours),
        "forwarding_loop": vars(bare),
        "p50_ratio": ours.p50_ms / bare.p50_ms,
        "p99_ratio": ours.p99_ms / bare.p99_ms,
        "cpu_ratio": ours.core_share / bare.core_share,
    }
    if options.memory_minutes:
        report["memory"] = asyncio.run(memory_slope(options.rollers, options.memory_minutes))
    if options.json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(name, value)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--forward"]:
        asyncio.run(forward(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        main()
