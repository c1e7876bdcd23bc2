"""Strokes and sessions as tables, in the languages of athletes and coaches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from rolltrack.cli.output import arrow, minutes
from rolltrack.cli.table_texts import TABLE_TEXTS
from rolltrack.sinks.live_texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rolltrack.core.events import JudgedStroke, SessionSummary
    from rolltrack.sinks.live_texts import Lang

SHORT_ID = 13  # of a UUIDv7: its time to the millisecond


def analysed_table(strokes: Sequence[JudgedStroke], lang: Lang = "en") -> Table:
    """A recording's strokes; their times count from its first reading."""
    table = _strokes_table(lang, TABLE_TEXTS[lang].at)
    for judged in strokes:
        table.add_row(*_row(judged, lang, judged.stroke.start_s))
    return table


def stored_table(strokes: Sequence[JudgedStroke], lang: Lang = "en") -> Table:
    """A session's strokes; their times count from the first."""
    table = _strokes_table(lang, TABLE_TEXTS[lang].after)
    for judged in strokes:
        table.add_row(*_row(judged, lang, judged.stroke.start_s - strokes[0].stroke.start_s))
    return table


def _strokes_table(lang: Lang, when: str) -> Table:
    words = TEXTS[lang]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in (words.stroke, when, words.length, words.duration, words.mean, words.peak):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(TABLE_TEXTS[lang].verdict)
    return table


def _row(judged: JudgedStroke, lang: Lang, when_s: float) -> list[str | Text]:
    words, stroke = TEXTS[lang], judged.stroke
    mean = words.number(_hundredfold(stroke.mean_speed_mps), 2)
    if stroke.mean_speed_sd_mps is not None:
        mean += f" ± {words.error(stroke.mean_speed_sd_mps, 2)}"
    return [
        f"{stroke.n} {arrow(stroke.direction)}",
        minutes(when_s),
        f"{words.hundredfold(stroke.length_m)} cm",
        f"{words.number(stroke.duration_s)} s",
        f"{mean} cm/s",
        f"{words.hundredfold(stroke.peak_speed_mps)} cm/s",
        _verdict(judged, lang),
    ]


def _verdict(judged: JudgedStroke, lang: Lang) -> Text:
    known = judged.stroke.mean_speed_mps is not None
    verdict = Text(*TEXTS[lang].verdict(known=known, too_fast=judged.too_fast))
    if known and judged.stroke.partly_unknown:
        verdict.append(f", {TEXTS[lang].partly_unknown}", "yellow")
    return verdict


def sessions_table(found: Sequence[SessionSummary], lang: Lang = "en") -> Table:
    """One line per session, narrow enough for 80 columns."""
    words, say = TEXTS[lang], TABLE_TEXTS[lang]
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="dim")
    table.add_column("id", min_width=SHORT_ID)
    table.add_column(say.started, min_width=len("2026-11-23 10:13"))
    for heading in (say.athlete, say.region):
        table.add_column(heading, overflow="fold")
    for heading in (
        *(say.rolled, words.strokes),
        *(say.too_fast_below, say.mean_below, say.peak_below),
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for summary in found:
        table.add_row(
            summary.session_id[:SHORT_ID],
            local_time(summary.started_unix_s),
            summary.athlete,
            summary.region,
            minutes(summary.rolling_s),
            str(summary.strokes),
            Text(str(summary.too_fast_strokes), "red" if summary.too_fast_strokes else "green"),
            words.hundredfold(summary.mean_speed_mps),
            words.hundredfold(summary.peak_speed_mps),
        )
    return table


def local_time(unix_s: float) -> str:
    """To the minute, in the time zone of this machine."""
    return datetime.fromtimestamp(unix_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _hundredfold(value: float | None) -> float | None:
    return None if value is None else 100 * value
