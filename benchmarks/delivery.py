"""Is any session lost? Broker, service and archive are killed at random, with SIGKILL.

The service, the archive and the broker are processes of their own; one of them, or all, is killed
every second or two and started again. When the time is over the service only delivers, and then
every session that it had stored must be in the archive, as it was stored; and stored must be every
session that somebody had heard of more than two seconds before a kill, with the strokes heard of:
those that were cut off, recovered. Nothing may have ended by itself. Exit code 1 otherwise.

The first kill waits for the first stored session. Where that takes longer than two seconds the
machine is slow or busy, and all times, those two seconds included, are stretched as much.

python benchmarks/delivery.py [--seed 1] [--seeds 1] [--seconds 20] [--broker turns] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
from _delivery_service import SITE
from _delivery_truth import ARCHIVE_DB, SERVICE_DB, Truth, find_truth, rows
from paho.mqtt.enums import CallbackAPIVersion
from rich.console import Console
from rich.progress import Progress

from rolltrack.broker import mosquitto
from rolltrack.broker.process import BrokerProcess

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable

HOST = "127.0.0.1"
BROKERS = ("mosquitto", "mosquitto-memory", "embedded")
VICTIMS = (("broker",), ("service",), ("archive",), ("broker", "service", "archive"))
DRAIN_S = 180.0
STARTS_WITHIN_S = 2.0
JOURNAL_S = 2.0
"""What was told so long before a kill is in the journal, which is written every second."""


@dataclass
class Outcome:
    """What one seed came to."""

    seed: int
    broker: str
    truth: Truth = field(default_factory=Truth)
    deliveries: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    ended_by_themselves: list[str] = field(default_factory=list)
    drain_s: float = 0.0
    stretched: float = 1.0

    @property
    def duplicates(self) -> int:
        """Deliveries beyond the first, as a second subscriber saw them."""
        return max(0, self.deliveries - self.truth.sessions)

    @property
    def good(self) -> bool:
        """Whether there were sessions, nothing is missing, and nothing broke."""
        return bool(self.truth.sessions) and self.truth.whole and not self.ended_by_themselves


class Site:
    """The three processes, and what is known of them."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.kills: list[tuple[float, str]] = []
        self.ended_by_themselves: list[str] = []
        self.rolling = True
        self._broker = BrokerProcess(
            broker_command(broker, folder, self.port), HOST, self.port, log=folder / "broker.log"
        )
        self._processes: dict[str, Process] = {}

    async def start(self, what: str) -> None:
        """Start it, if it does not run."""
        if what == "broker":
            await self._broker.start()
            return
        if what == "service":
            script = Path(__file__).with_name("_delivery_service.py")
            doing = "roll" if self.rolling else "wait"
            command = [str(script), str(self.port), str(self.folder), doing]
        else:
            command = ["-m", "rolltrack", "archive", "run", "--site", SITE]
            command += [
                "--mqtt",
                f"{HOST}:{self.port}",
                "--database",
                str(self.folder / ARCHIVE_DB),
            ]
        with (self.folder / f"{what}.log").open("ab") as log:
            self._processes[what] = await asyncio.create_subprocess_exec(
                sys.executable, *command, stdout=log, stderr=log, cwd=self.folder
            )

    async def kill(self, what: str) -> None:
        """SIGKILL, and wait until it is gone."""
        self.kills.append((time.time(), what))
        if what == "broker":
            if self._broker.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._broker.pid, signal.SIGKILL)
                await self._broker.ended()
            return
        process = self._processes.pop(what)
        if process.returncode is not None:
            self.ended_by_themselves.append(f"{what}: {process.returncode}")
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def end(self) -> None:
        """Stop all that runs."""
        for what in list(self._processes):
            await self.kill(what)
        await self._broker.stop()

    def undelivered(self) -> int:
        """How many sessions wait in the service's outbox."""
        ((count,),) = rows(self.folder / SERVICE_DB, "SELECT count(*) FROM outbox")
        return int(count)

    async def first_session(self) -> float:
        """Wait until the service has stored one; the seconds it took."""
        started = time.monotonic()
        while (waited_s := time.monotonic() - started) < DRAIN_S:
            await asyncio.sleep(0.05)
            with contextlib.suppress(sqlite3.OperationalError):  # no store yet
                if rows(self.folder / SERVICE_DB, "SELECT 1 FROM sessions LIMIT 1"):
                    return waited_s
        sys.exit(f"the service has stored no session within {DRAIN_S:.0f} s")

    def truth(self, safe_after_s: float) -> Truth:
        """What became of every session."""
        kills = [at for at, what in self.kills if what == "service"]
        return find_truth(self.folder, kills, safe_after_s)


async def play(seed: int, broker: str, seconds: float, calm: float) -> Outcome:
    """One run."""
    dice = random.Random(seed)
    outcome = Outcome(seed, broker)
    with tempfile.TemporaryDirectory(prefix="rolltrack-delivery-") as name:
        folder = Path(name)
        site = Site(folder, broker)
        try:
            for what in ("broker", "archive", "service"):
                await site.start(what)
            counter = Counter(site.port)
            stretched = max(1.0, await site.first_session() / STARTS_WITHIN_S)
            until = time.monotonic() + seconds * stretched
            while time.monotonic() < until:
                await asyncio.sleep(calm * stretched * dice.uniform(0.5, 3.5))
                victims = dice.choice(VICTIMS)
                for what in victims:
                    await site.kill(what)
                    outcome.kills[what] = outcome.kills.get(what, 0) + 1
                await asyncio.sleep(dice.uniform(0.0, 0.7))
                for what in dice.sample(victims, len(victims)):
                    await site.start(what)
            await deliver_the_rest(site, outcome)
            outcome.deliveries = counter.close()
        finally:
            await site.end()
        outcome.stretched = round(stretched, 2)
        outcome.truth = site.truth(JOURNAL_S * stretched)
        outcome.ended_by_themselves = site.ended_by_themselves
    return outcome


async def deliver_the_rest(site: Site, outcome: Outcome) -> None:
    """One more start recovers what the last kill cut off; then wait until the outbox is empty."""
    site.rolling = False
    await site.kill("service")
    outcome.kills["service"] = outcome.kills.get("service", 0) + 1
    await site.start("service")
    started = time.monotonic()
    while time.monotonic() - started < DRAIN_S:
        await asyncio.sleep(0.5)
        with contextlib.suppress(sqlite3.OperationalError):
            journals = list((site.folder / f"{SERVICE_DB}.journals").glob("*.journal"))
            if not journals and site.undelivered() == 0:
                break
    outcome.drain_s = round(time.monotonic() - started, 1)


class Counter:
    """A second subscriber: how often sessions are delivered."""

    def __init__(self, port: int) -> None:
        self._count = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        topic = f"rolltrack/v1/{SITE}/a/+/session/+"
        self._client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self._client.on_message = self._take
        self._client.connect_async(HOST, port)
        self._client.loop_start()

    def close(self) -> int:
        """How many there were."""
        self._client.disconnect()
        self._client.loop_stop()
        return self._count

    def _take(self, *_: object) -> None:
        self._count += 1


def broker_command(kind: str, folder: Path, port: int) -> list[str]:
    """A mosquitto with or without persistence, or the embedded amqtt."""
    if kind == "embedded":
        return [sys.executable, "-m", "rolltrack.broker.amqtt_process", HOST, str(port)]
    lines = [f"listener {port} {HOST}", "allow_anonymous true", "max_queued_messages 100000"]
    if kind == "mosquitto":
        lines += ["persistence true", f"persistence_location {folder}/", "autosave_interval 1"]
    if os.getuid() == 0:
        lines.append("user root")  # else it could not write into our folder
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    mosquitto_path = mosquitto.find() or sys.exit("mosquitto is not installed")
    guard = [sys.executable, "-m", "rolltrack.broker.guard"]
    return [*guard, mosquitto_path, "-c", str(folder / "mosquitto.conf")]


def free_port() -> int:
    """Any that is free now."""
    import socket  # noqa: PLC0415  # for this line only

    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def brokers_of(seed: int, choice: str) -> tuple[str, ...]:
    """Which brokers a seed is played with: one, all, or one after the other."""
    if choice == "turns":
        return (BROKERS[seed % len(BROKERS)],)
    return BROKERS if choice == "all" else (choice,)


async def play_all(runs: list[tuple[int, str]], seconds: float, calm: float) -> list[Outcome]:
    """One after the other."""
    done = []
    with Progress(console=Console(stderr=True)) as progress:
        for seed, broker in progress.track(runs, description="runs"):
            done.append(await play(seed, broker, seconds, calm))
    return done


def main(report: Callable[[str], None] = print) -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run, before draining")
    parser.add_argument(
        "--calm", type=float, default=1.0, help="times the pauses between kills; for slow machines"
    )
    parser.add_argument("--broker", choices=[*BROKERS, "all", "turns"], default="turns")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.seeds)
    runs = [(seed, broker) for seed in seeds for broker in brokers_of(seed, options.broker)]
    outcomes = asyncio.run(play_all(runs, options.seconds, options.calm))
    truths = [outcome.truth for outcome in outcomes]
    summary = {
        "runs": len(outcomes),
        "sessions": sum(t.sessions for t in truths),
        "recovered": sum(t.recovered for t in truths),
        "kills": sum(sum(o.kills.values()) for o in outcomes),
        "duplicates_seen": sum(o.duplicates for o in outcomes),
        "slowest_drain_s": max(o.drain_s for o in outcomes),
        "lost": sum(len(t.lost) for t in truths),
        "undelivered": sum(len(t.undelivered) for t in truths),
        "never_stored": sum(len(t.never_stored) for t in truths),
        "shortened": sum(len(t.shortened) for t in truths),
        "changed": sum(len(t.changed) for t in truths),
        "ended_by_themselves": sum(len(o.ended_by_themselves) for o in outcomes),
    }
    if options.json:
        report(json.dumps(summary | {"outcomes": [asdict(o) for o in outcomes]}))
    else:
        for outcome in outcomes:
            report(f"{outcome}")
        report(json.dumps(summary))
    sys.exit(0 if all(outcome.good for outcome in outcomes) else 1)


if __name__ == "__main__":
    main()
