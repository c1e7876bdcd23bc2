"""`rolltrack demo`: the main job from the sensor to the summary, without any hardware."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from rolltrack.broker import embedded_broker
from rolltrack.cli.demo_listener import listening
from rolltrack.cli.demo_roller import virtual_roller
from rolltrack.cli.demo_texts import INTRODUCTION, NEXT_STEPS, SUMMARY
from rolltrack.cli.logs import setup_logging
from rolltrack.cli.output import stderr, stdout
from rolltrack.cli.safety_texts import SAFETY
from rolltrack.cli.session_texts import session_in_words
from rolltrack.cli.signals import stopped_by_signals
from rolltrack.config import BleConfig, Config, SessionConfig
from rolltrack.core.events import SessionEnded
from rolltrack.core.sample import ImuSamples
from rolltrack.errors import RolltrackError, UsageError
from rolltrack.protocols import load_protocol
from rolltrack.service import run_service
from rolltrack.sinks.live import LiveView
from rolltrack.sinks.live_texts import Lang, language_of
from rolltrack.sinks.mqtt import MqttSink, link_of_site
from rolltrack.sinks.sessions import SessionSink
from rolltrack.sources.ble import BleSource
from rolltrack.store import SessionStore
from rolltrack.traces.reader import read_trace
from rolltrack.traces.samples import sample_names, sample_trace
from rolltrack.wire import SessionPayload, Topics

if TYPE_CHECKING:
    from rolltrack.sinks.sink import Outgoing, Roller, Sink

SITE = "demo"
ONCE_SPEED = 4.0
NEVER_IDLE_S = 3600.0
"""The whole trace is one session, whatever pauses it has."""
START_PATIENCE_S = 30.0
SUMMARY_PATIENCE_S = 2.0

app = typer.Typer()


@app.command()
def demo(
    *,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="No live view; print the summary as JSON, on the last line, and exit."
        ),
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(min=0.1, max=50, help="Times real time. [default: 1, with --once 4]"),
    ] = None,
    trace: Annotated[
        str, typer.Option(help="A bundled session (calf, thigh, back), or a trace file.")
    ] = "calf",
    lang: Annotated[Lang | None, typer.Option(help="Language. [default: what $LANG says]")] = None,
) -> None:
    """See it work: a simulated roller, Bluetooth, coaching, MQTT and the session store.

    Everything stays on this machine and nothing is kept.
    """
    setup_logging(level=logging.WARNING)
    path = _find_trace(trace)
    chosen = lang or language_of(os.environ)
    body = asyncio.run(
        _perform(path, chosen, speed or (ONCE_SPEED if once else 1.0), show=not once)
    )
    session = msgspec.json.decode(body, type=SessionPayload)
    if once:
        typer.echo(body.decode())
        return
    console = stdout()
    console.print(f"\n{SUMMARY[chosen]}", style="bold")
    for sentence in session_in_words(session, chosen):
        console.print(sentence, markup=False)
    console.print()
    for question, answer in NEXT_STEPS[chosen]:
        console.print(f"{question:32} {answer}", markup=False, soft_wrap=True)
    console.print(f"\n{SAFETY[chosen]}", style="dim", markup=False)


def _find_trace(name: str) -> Path:
    """The file of a bundled session, or `name` itself if it is a file.

    Raises:
        UsageError: it is neither.
    """
    if name in sample_names():
        return sample_trace(name)
    if Path(name).is_file():
        return Path(name)
    known = ", ".join(sample_names())
    raise UsageError(f"no trace {name!r}.", hint=f"Bundled: {known}; or give a file.")


async def _perform(trace: Path, lang: Lang, speed: float, *, show: bool) -> bytes:
    """Run the whole path; returns the session summary as a subscriber received it."""
    recording = read_trace(trace)
    duration_s = float(recording.samples.t_s[-1] - recording.samples.t_s[0])
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rolltrack-demo-"))
        broker = await stack.enter_async_context(embedded_broker())
        link = await stack.enter_async_context(virtual_roller(trace, speed))
        config = Config(
            site=SITE, ble=BleConfig(link=link), session=SessionConfig(idle_s=NEVER_IDLE_S)
        )
        sessions = Topics(SITE).session(config.athlete, "+")
        bodies = await stack.enter_async_context(listening(broker.host, broker.port, sessions))
        stop, interrupted = asyncio.Event(), asyncio.Event()
        stack.enter_context(stopped_by_signals(stop, interrupted.set))
        introduction = INTRODUCTION[lang].format(trace=recording.name, duration_s=duration_s)
        stderr().print(introduction, markup=False)
        stderr().print(
            f"  mosquitto_sub -p {broker.port} -v -t 'rolltrack/v1/{SITE}/#'\n",
            style="bold",
            markup=False,
            soft_wrap=True,
        )
        asyncio.get_running_loop().call_later(START_PATIENCE_S + duration_s / speed, stop.set)
        watch = _Watch(duration_s, stop)
        sinks: list[Sink] = [
            SessionSink(SessionStore(Path(folder) / "sessions.db")),
            MqttSink(link_of_site(broker.peer, SITE), SITE),
            watch,
        ]
        if show:
            target_max_mps = load_protocol(config.protocol).target_max_mps
            sinks.append(LiveView(stdout(), lang=lang, target_max_mps=target_max_mps))
        await run_service(config, sources=[BleSource(config.ble)], sinks=sinks, stop=stop)
        if not watch.session_ended:
            if interrupted.is_set():
                raise typer.Abort
            raise RolltrackError(
                f'no stroke was seen in "{recording.name}".',
                hint="See what it holds with `rolltrack analyse`.",
            )
        try:
            async with asyncio.timeout(SUMMARY_PATIENCE_S):
                return await bodies.get()
        except TimeoutError:
            raise RolltrackError(
                "no session summary came over MQTT.", hint="See `rolltrack doctor`."
            ) from None


class _Watch:
    """A sink that ends the demo once the roller has sent as many seconds as the trace has.

    Attributes:
        session_ended: whether there was a session, so that a summary is due.
    """

    name = "demo"
    wants_samples = True

    def __init__(self, duration_s: float, stop: asyncio.Event) -> None:
        self.session_ended = False
        self._duration_s = duration_s
        self._stop = stop
        self._first_s: float | None = None

    async def open(self) -> None:
        """Nothing to prepare."""

    async def handle(self, roller: Roller, outgoing: Outgoing) -> None:
        """Watch the time of the readings."""
        del roller
        if isinstance(outgoing, SessionEnded):
            self.session_ended = True
        if not isinstance(outgoing, ImuSamples):
            return
        if self._first_s is None:
            self._first_s = float(outgoing.t_s[0])
        if outgoing.t_s[-1] - self._first_s >= self._duration_s:
            self._stop.set()

    async def close(self) -> None:
        """Nothing to tidy up."""
