"""What the service keeps: megabytes per hour of rolling, beside keeping the readings.

The whole service in this process (sessions in SQLite, journals, an embedded broker) takes the
accelerometer-only session in a loop, faster than real time. First one roller is rolled without a
pause, in a session that never ends; then in sessions of five minutes, each followed by more
stillness than ends it. The slope is fitted to the second half. The alternative is a service that
keeps a session's readings until its end: 32 bytes each, 100 a second.

python benchmarks/memory.py [--hours 1.0] [--sessions 16] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track

from rolltrack import sample_trace
from rolltrack.cli.run import serve
from rolltrack.config import BleConfig, Config, StoreConfig
from rolltrack.core.events import SessionEnded
from rolltrack.core.sample import ImuSamples
from rolltrack.sources.source import Sensor
from rolltrack.traces.reader import read_trace

if TYPE_CHECKING:
    from rolltrack.sinks.sink import Outgoing, Roller
    from rolltrack.sources.source import Deliver

RATE_HZ = 100
PACKET = 100
ROLLED_S, STILL_S = 300.0, 130.0
KEPT_READINGS_MB_PER_H = 32e-6 * RATE_HZ * 3600


@dataclass
class Rolling:
    """A source of one roller: so long rolled, so long still, again and again."""

    rolled_s: float
    still_s: float
    times: int
    name: str = "rolling"
    rows: list[tuple[float, float]] = field(default_factory=list)

    async def run(self, deliver: Deliver) -> None:
        """Deliver all of it as fast as it is taken, and note hours rolled and megabytes held."""
        sensor = Sensor("trace", "rt-1", "rt-1", time.time(), 0.075)
        once = read_trace(sample_trace("back")).samples.accel_mps2
        assert once is not None
        rng, rolled, start_s = np.random.default_rng(1), round(self.rolled_s * RATE_HZ), 0.0
        n = rolled + round(self.still_s * RATE_HZ)
        for turn in track(range(self.times), "memory", console=Console(stderr=True)):
            force = np.resize(once, (rolled, 3))
            force = np.concatenate([force, np.tile(once[0], (n - rolled, 1))])
            force += rng.normal(0.0, 0.02, force.shape)
            t_s = start_s + np.arange(n) / RATE_HZ
            for at in range(0, n, PACKET):
                part = slice(at, at + PACKET)
                deliver(sensor, ImuSamples(t_s[part].copy(), force[part].copy()))
                await asyncio.sleep(0)
            start_s += n / RATE_HZ
            gc.collect()
            rss_mb = psutil.Process().memory_info().rss / 1e6
            self.rows.append(((turn + 1) * self.rolled_s / 3600, rss_mb))


class Count:
    """A sink that counts finished sessions."""

    name = "count"
    wants_samples = False
    sessions = 0

    async def open(self) -> None:
        """Nothing to prepare."""

    async def handle(self, _roller: Roller, outgoing: Outgoing) -> None:
        """One more."""
        self.sessions += isinstance(outgoing, SessionEnded)

    async def close(self) -> None:
        """Nothing to tidy up."""


async def measure(source: Rolling) -> dict[str, float]:
    """Serve that source, in a folder of its own."""
    count = Count()
    with tempfile.TemporaryDirectory() as folder:
        config = Config(
            ble=BleConfig(enabled=False), store=StoreConfig(path=str(Path(folder) / "s.db"))
        )
        await serve(config, [source], show=False, radius_m=None, more=[count])
    half = source.rows[len(source.rows) // 2 :]
    hours, rss_mb = np.array(half).T
    slope = float(np.polyfit(hours, rss_mb, 1)[0])
    return {
        "sessions": count.sessions,
        "rolled_h": source.rows[-1][0],
        "rss_half_way_mb": half[0][1],
        "rss_last_mb": half[-1][1],
        "slope_mb_per_rolled_h": slope,
        "over_keeping_readings": slope / KEPT_READINGS_MB_PER_H,
    }


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    minutes = round(options.hours * 60)
    report = {
        "one_endless_session": asyncio.run(measure(Rolling(60.0, 0.0, minutes))),
        "sessions_of_five_minutes": asyncio.run(
            measure(Rolling(ROLLED_S, STILL_S, options.sessions))
        ),
    }
    if options.json:
        json.dump(report, sys.stdout)
        return
    for name, row in report.items():
        print(name, "  ".join(f"{key} {value:.4g}" for key, value in row.items()))


if __name__ == "__main__":
    main()
