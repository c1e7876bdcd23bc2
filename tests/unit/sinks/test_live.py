"""LiveView: the sink around the picture."""

from __future__ import annotations

import io
import logging

from rich.console import Console
from support import sample_events as sample

from rolltrack.core.events import LinkChanged
from rolltrack.sinks.live import LiveView

SESSION = (
    LinkChanged(0.0, up=True),
    sample.started(),
    sample.live(),
    sample.stroke_ended(1, too_fast=True),
    sample.alert(kind="clipping"),
    sample.ended(),
)


async def played(console, *events, lang="en"):
    view = LiveView(console, lang=lang)
    await view.open()
    for event in events:
        await view.handle(sample.ROLLER, event)
    await view.close()
    return console.file.getvalue()


async def test_without_a_terminal_it_prints_a_line_for_each_thing_worth_one():
    lines = (await played(Console(file=io.StringIO()), *SESSION)).splitlines()
    assert lines == [
        "rt-3f2a: connected",
        "rt-3f2a: session started, limit 7.5 cm/s",
        "rt-3f2a: stroke 1 ← 24.4 cm, 3.1 s, 7.8 ± 0.1 cm/s: faster than your protocol's target",
        "rt-3f2a: the motion is beyond the sensor's range",
        "rt-3f2a: session ended: strokes 96, too fast 11, time 276 s, mean speed 3.8 cm/s",
    ]


async def test_plain_lines_in_german():
    text = await played(Console(file=io.StringIO()), *SESSION, lang="de")
    assert "Sitzung zu Ende: Züge 96, zu schnell 11, Zeit 276 s, mittleres Tempo 3,8 cm/s" in text


async def test_on_a_terminal_the_last_picture_stays():
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    text = await played(console, *SESSION)
    assert "strokes 96" in text
    assert text.endswith("\n\x1b[?25h")


async def test_log_lines_scroll_above_the_picture():
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    handler = logging.StreamHandler()
    stderr = handler.stream
    view = LiveView(console)
    logging.getLogger().addHandler(handler)
    try:
        await view.open()
        logging.getLogger("rolltrack.test").error("a log line")
        await view.close()
    finally:
        logging.getLogger().removeHandler(handler)
    assert "a log line" in console.file.getvalue()
    assert handler.stream is stderr
