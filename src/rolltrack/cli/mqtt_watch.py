"""What a broker tells of all rollers, to look at."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rolltrack.cli.mqtt_listening import overhearing
from rolltrack.cli.mqtt_watch_texts import WORDS
from rolltrack.cli.output import note, stdout
from rolltrack.cli.signals import stopped_by_signals
from rolltrack.sinks.live_texts import TEXTS
from rolltrack.wire import AlertPayload, LivePayload, SessionPayload, StatePayload, StrokePayload
from rolltrack.wire.catalogue import find_kind

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rolltrack.mqtt import Incoming, Peer
    from rolltrack.sinks.live_texts import Lang, Texts

FRAMES_PER_S = 4
LATEST = 8
STALE_S = 5.0


@dataclass(slots=True)
class RollerRow:
    """One roller, as far as the broker has told."""

    athlete: str
    roller: str
    online: bool | None = None
    state: StatePayload | None = None
    live: LivePayload | None = None
    heard_s: float = 0.0


@dataclass(slots=True)
class Wall:
    """All rollers and the latest events.

    Attributes:
        lang: the language of its lines.
        rollers: by athlete and id.
        latest: lines about strokes, alerts and sessions, newest last.
    """

    lang: Lang
    rollers: dict[tuple[str, str], RollerRow] = field(default_factory=dict)
    latest: deque[tuple[str, bool]] = field(default_factory=lambda: deque(maxlen=LATEST))

    def take(self, message: Incoming, now_s: float) -> str | None:
        """Learn from a message; a line about it when it is news of its own."""
        found = find_kind(message.topic)
        if found is None:
            return None
        kind, parameters = found
        try:
            content = kind.payload and msgspec.json.decode(message.body, type=kind.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        if "roller" in parameters and "athlete" in parameters:
            key = (parameters["athlete"], parameters["roller"])
            row = self.rollers.setdefault(key, RollerRow(*key))
            match content:
                case StatePayload():
                    row.state, row.heard_s = content, now_s
                case LivePayload():
                    row.live, row.heard_s = content, now_s
                case None if kind.name == "availability":
                    row.online = message.body == b"online"
        line = self._line(content, parameters)
        # A session comes on two topics: its own, and that of the last one.
        if line is None or message.retain or kind.name == "last-session":
            return None
        bad = isinstance(content, StrokePayload | AlertPayload) and (
            content.too_fast if isinstance(content, StrokePayload) else content.phase == "raised"
        )
        self.latest.append((line, bad))
        return line

    def _line(self, content: object, parameters: dict[str, str]) -> str | None:
        words, texts = WORDS[self.lang], TEXTS[self.lang]
        who = f"{parameters.get('athlete', '')}/{parameters.get('roller', '')}".rstrip("/")
        match content:
            case StrokePayload():
                return f"{who}  {texts.stroke} {content.n}: {_verdict(content, texts)}"
            case AlertPayload():
                phase = words.raised if content.phase == "raised" else words.cleared
                return f"{who}  {phase}: {texts.alerts.get(content.kind, content.kind)}"
            case SessionPayload():
                counts = f"{content.strokes} {texts.strokes}, {content.too_fast_strokes}"
                return f"{who}  {words.session}: {counts} {texts.strokes_too_fast}"
        return None

    def draw(self, now_s: float) -> RenderableType:
        """The wall as it is now."""
        words, texts = WORDS[self.lang], TEXTS[self.lang]
        table = Table(expand=True)
        for heading in (words.athlete, texts.roller, texts.state):
            table.add_column(heading)
        for heading in (texts.speed, texts.limit, texts.strokes, texts.battery, words.age):
            table.add_column(heading, justify="right")
        for _, row in sorted(self.rollers.items()):
            table.add_row(*self._cells(row, now_s))
        lines = [Text(line, style="bold red" if bad else "") for line, bad in self.latest]
        return Group(table, *(lines or [Text(words.nothing_yet, style="dim")]))

    def _cells(self, row: RollerRow, now_s: float) -> list[Text | str]:
        texts, state = TEXTS[self.lang], row.state
        age_s = now_s - row.heard_s
        live = row.live if row.live and age_s < STALE_S else None
        newest = live or state
        too_fast = bool(newest and newest.too_fast and age_s < STALE_S)
        speed = newest.speed_mm_s if newest else None
        where = texts.states[newest.state] if newest else "?"
        if row.online is False:
            where, speed, too_fast = texts.link_down, None, False
        style = "bold white on red" if too_fast else ""
        counts = f"{state.strokes} ({state.too_fast_strokes})" if state else "?"
        battery = f"{state.battery_pct} %" if state and state.battery_pct is not None else ""
        return [
            row.athlete,
            row.roller,
            where,
            Text("?" if speed is None else f"{texts.number(speed / 10)} cm/s", style=style),
            _cm(texts, newest.limit_mm_s if newest else None),
            counts,
            battery,
            f"{age_s:.0f} s" if row.heard_s else "",
        ]


def _verdict(stroke: StrokePayload, texts: Texts) -> str:
    word, _ = texts.verdict(known=stroke.mean_mm_s is not None, too_fast=stroke.too_fast)
    if stroke.mean_mm_s is None:
        return word
    mean, sd_mm_s = texts.number(stroke.mean_mm_s / 10), stroke.mean_sd_mm_s
    error = "" if sd_mm_s is None else f" ± {texts.error(sd_mm_s / 1000)}"
    partly = f", {texts.partly_unknown}" if stroke.partly_unknown else ""
    return f"{mean}{error} cm/s, {word}{partly}"


def _cm(texts: Texts, mm: float | None) -> str:
    return "" if mm is None else texts.number(mm / 10)


async def watch_broker(
    peer: Peer, site: str | None, *, seconds: float | None, as_json: bool, lang: Lang
) -> None:
    """Show it until Ctrl-C, or for so many seconds.

    Raises:
        BrokerError: the broker cannot be used.
    """
    console, wall = stdout(), Wall(lang)
    draws = console.is_terminal and not as_json

    def take(message: Incoming) -> None:
        line = wall.take(message, time.monotonic())
        if as_json:
            sys.stdout.write(as_json_line(message) + "\n")
            sys.stdout.flush()
        elif line is not None and not draws:
            console.print(line, markup=False, soft_wrap=True)

    stop = asyncio.Event()
    filters = [f"rolltrack/v1/{site}/#" if site else "rolltrack/v1/#"]
    with stopped_by_signals(stop, lambda: None):
        async with overhearing(peer, filters, take):
            if draws:
                await _draw(wall, stop, seconds)
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await stop.wait()
    if not (draws or as_json or wall.latest):
        heard = WORDS[lang].heard.format(len(wall.rollers))
        note(f"{heard} {WORDS[lang].nothing_yet}", lang)


async def _draw(wall: Wall, stop: asyncio.Event, seconds: float | None) -> None:
    with (
        Live(wall.draw(time.monotonic()), console=stdout(), auto_refresh=False) as live,
        contextlib.suppress(TimeoutError),
    ):
        async with asyncio.timeout(seconds):
            while not stop.is_set():
                live.update(wall.draw(time.monotonic()), refresh=True)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1 / FRAMES_PER_S):
                        await stop.wait()


def as_json_line(message: Incoming) -> str:
    """One message as a JSON document; a payload that is none becomes a string."""
    try:
        payload = msgspec.json.decode(message.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        payload = message.body.decode("utf-8", "replace")
    document = {
        "topic": message.topic,
        "payload": payload,
        "qos": message.qos,
        "retain": message.retain,
    }
    return msgspec.json.encode(document).decode()
