"""`rolltrack record`: write what a roller sends into a trace."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import replace
from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from rolltrack.cli import output
from rolltrack.cli.signals import stopped_by_signals
from rolltrack.config import BleConfig
from rolltrack.core.motion.radius import is_radius
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.errors import RolltrackError, SensorNotFoundError, UsageError
from rolltrack.sources.ble import BleSource
from rolltrack.sources.source import TimePassed
from rolltrack.traces.trace import TraceMeta
from rolltrack.traces.writer import TraceWriter

if TYPE_CHECKING:
    from rolltrack.sources.source import Item, Sensor

app = typer.Typer()

LINK_PATIENCE_S = 15.0
PATIENCE_S = 20.0
REFRESH_S = 0.2
TIME_DIGITS = 6  # microseconds, what sensors' clocks resolve


@app.command()
def record(
    out: Annotated[Path, typer.Argument(help="Trace to write: .csv or .csv.gz.")],
    *,
    ble: Annotated[
        str, typer.Option(help='Bluetooth link: "os", "tcp:HOST:PORT", "usb:0", "serial:DEVICE".')
    ] = "os",
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after so long; else with Ctrl-C.")
    ] = None,
    sensor: Annotated[
        str | None, typer.Option(help="Serial number, address or name of the roller to record.")
    ] = None,
    rate_hz: Annotated[int, typer.Option(min=10, max=1000, help="Sampling rate to ask for.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write what a roller sends into a trace, until Ctrl-C or for --seconds."""
    if out.exists():
        raise UsageError(f"{out} exists already.", hint="Choose another name.")
    config = BleConfig(link=ble, rate_hz=rate_hz)
    recording = asyncio.run(_record(out, config, sensor, seconds))
    if not recording.samples:  # ended by the user before anything came
        raise typer.Abort
    if json:
        output.print_json(recording.document())
    else:
        typer.echo(f"{out}: {recording}")


class Recording:
    """Writes the first roller that speaks; the others are not its business.

    Args:
        out: the trace to write.
        seconds: stop after so much stream time; None never stops by itself.
    """

    def __init__(self, out: Path, seconds: float | None) -> None:
        self.begun = asyncio.Event()
        self.done = asyncio.Event()
        self.error: RolltrackError | None = None
        self._out = out
        self._seconds = math.inf if seconds is None else seconds
        self._end_s = math.inf
        self._sensor: Sensor | None = None
        self._writer: TraceWriter | None = None
        self._first_s = self._last_s = 0.0
        self._gaps = self._lost = 0

    def deliver(self, sensor: Sensor, item: Item) -> None:
        """Take an item from the source."""
        if self.done.is_set():
            return
        if self._sensor is not None and sensor.sensor_id != self._sensor.sensor_id:
            return
        if isinstance(item, SignalGap):
            self._gaps += 1
            self._lost += item.lost
        elif isinstance(item, TimePassed):
            self._end_at(item.t_s)
        elif isinstance(item, ImuSamples):
            try:
                self._write(sensor, item)
            except RolltrackError as error:
                self.error = error
                self.done.set()

    def document(self) -> dict[str, object]:
        """The outcome for scripts."""
        return {
            "v": 1,
            "trace": str(self._out),
            "sensor": self._sensor.sensor_id if self._sensor else None,
            "name": self._sensor.name if self._sensor else None,
            "samples": self.samples,
            "seconds": round(self.seconds, 3),
            "rate_hz": round(self.rate_hz, 2),
            "gaps": self._gaps,
            "samples_lost": self._lost,
        }

    def __str__(self) -> str:
        gaps = f", {self._gaps} gaps" if self._gaps else ""
        return f"{self.seconds:.1f} s, {self.samples} samples, {self.rate_hz:.1f} Hz{gaps}"

    @property
    def samples(self) -> int:
        """Readings written so far."""
        return self._writer.rows if self._writer else 0

    @property
    def seconds(self) -> float:
        """Stream time from the first to the last reading."""
        return self._last_s - self._first_s

    @property
    def rate_hz(self) -> float:
        """Readings per second of stream time; 0 before the second reading."""
        return (self.samples - 1) / self.seconds if self.seconds > 0 else 0.0

    def close(self) -> None:
        """Bring everything to the disk."""
        if self._writer is not None:
            self._writer.close()

    def _write(self, sensor: Sensor, samples: ImuSamples) -> None:
        if self._writer is None:
            about = {"sensor": sensor.sensor_id, "name": sensor.name}
            meta = TraceMeta(sensor.epoch_unix_s, _radius_m(sensor), sensor.axle, about)
            self._writer = TraceWriter(self._out, meta)
            self._sensor = sensor
            self._first_s = float(samples.t_s[0])
            self._end_s = self._first_s + self._seconds
            self.begun.set()
        samples = replace(samples, t_s=samples.t_s.round(TIME_DIGITS))
        end_s = float(samples.t_s[-1])
        samples = samples[: int((samples.t_s <= self._end_s + 10**-TIME_DIGITS).sum())]
        if len(samples):
            self._writer.append(samples)
            self._last_s = float(samples.t_s[-1])
        self._end_at(end_s)

    def _end_at(self, t_s: float) -> None:
        if t_s >= self._end_s:
            self.done.set()


class Wanted:
    """Whether a roller is the one to record, and what others were called that were asked about.

    Args:
        sensor: its serial number, address or name; case does not matter.
    """

    def __init__(self, sensor: str) -> None:
        self.sensor = sensor
        self.met = False
        self.others: dict[str, None] = {}

    def __call__(self, identity: str) -> bool:
        """Compare what a roller is called."""
        same = identity.casefold() == self.sensor.casefold()
        self.met |= same
        if not same:  # what came over the air must not write to the terminal
            self.others["".join(each if each.isprintable() else "?" for each in identity)] = None
        return same


async def _record(
    out: Path, config: BleConfig, sensor: str | None, seconds: float | None
) -> Recording:
    recording = Recording(out, seconds)
    wanted = None if sensor is None else Wanted(sensor)
    called = "a roller" if sensor is None else f"the roller {sensor!r}"
    output.note(f"waiting for {called} on {config.link}, {PATIENCE_S:.0f} s at most")
    source = BleSource(config, wanted, limit=1, patience_s=LINK_PATIENCE_S)
    receiving = asyncio.create_task(source.run(recording.deliver))
    try:
        with stopped_by_signals(recording.done):
            await _until(receiving, recording.begun, recording.done, timeout_s=PATIENCE_S)
            if not recording.begun.is_set() and not recording.done.is_set():
                raise _nothing_came(config.link, wanted)
            with output.stderr().status("") as status:
                while not recording.done.is_set():
                    status.update(f"recording {recording} (Ctrl-C ends)")
                    await _until(receiving, recording.done, timeout_s=REFRESH_S)
    finally:
        receiving.cancel()
        with suppress(asyncio.CancelledError, RolltrackError):
            await receiving
        recording.close()
    if recording.error is not None:
        raise recording.error
    return recording


def _radius_m(sensor: Sensor) -> float | None:
    """What the roller says of its radius, as far as that can be."""
    if sensor.radius_m is None or is_radius(sensor.radius_m):
        return sensor.radius_m
    output.note(
        f"the roller says a radius of {1000 * sensor.radius_m:g} mm, which none has; the trace is"
        " written without. Give it as # radius_m or with --radius-mm."
    )
    return None


def _nothing_came(link: str, wanted: Wanted | None) -> SensorNotFoundError:
    if wanted is None or wanted.met or not wanted.others:
        return SensorNotFoundError(
            f"No roller sent anything within {PATIENCE_S:.0f} s on {link}.",
            hint="See what is in range with: rolltrack scan",
        )
    return SensorNotFoundError(
        f"No roller called {wanted.sensor!r} was met within {PATIENCE_S:.0f} s on {link}.",
        hint=f"Others were: {', '.join(wanted.others)}.",
    )


async def _until(receiving: asyncio.Task[None], *events: asyncio.Event, timeout_s: float) -> None:
    """Wait for one of the events; a source that fails meanwhile raises here."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(
            [receiving, *waiting], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for future in waiting:
            future.cancel()
    if receiving.done():
        receiving.result()
