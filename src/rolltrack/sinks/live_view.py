"""Board -> what the terminal shows; pure, so that a test can look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rolltrack.core.strokes.edge import THRESHOLD_MPS
from rolltrack.sinks.live_digits import large

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rolltrack.core.events import JudgedStroke
    from rolltrack.sinks.live_board import Board, RollerPicture
    from rolltrack.sinks.live_texts import Texts

Band: TypeAlias = Literal["green", "amber", "red", "rest", "unknown"]

COLOURS: dict[Band, str] = {
    "green": "green",
    "amber": "yellow",
    "red": "bold red",
    "rest": "cyan",
    "unknown": "dim",
}
NEAR_LIMIT = 0.8
"""Share of the limit where amber begins when the rolling protocol names no target."""

SMALLEST_WIDTH = 56
SMALLEST_HEIGHT = 16
ROWS_AROUND_STROKES = 14
GAUGE_LIMITS = 2.0
"""The gauge ends at this many times the limit."""


def band_of(picture: RollerPicture, target_max_mps: float | None) -> Band:
    """Which colour the speed deserves."""
    if picture.state == "unknown":
        return "unknown"
    if picture.speed_mps is None or picture.limit_mps is None or picture.state == "idle":
        return "rest"
    speed_mps = abs(picture.speed_mps)
    amber_mps = NEAR_LIMIT * picture.limit_mps if target_max_mps is None else target_max_mps
    if picture.too_fast or speed_mps > picture.limit_mps:
        return "red"
    if speed_mps > amber_mps:
        return "amber"
    return "rest" if picture.state == "hold" else "green"


def render(
    board: Board, texts: Texts, *, target_max_mps: float | None, width: int, height: int
) -> RenderableType:
    """Everything that fits: a full picture, a table of rollers, or one line on a small terminal."""
    if not board.rollers:
        return Text(f"{texts.waiting} … {texts.wake_up}", style="dim")
    if width < SMALLEST_WIDTH or height < SMALLEST_HEIGHT:
        return Text("  |  ").join(_line(p, texts, target_max_mps) for p in board.rollers)
    if len(board.rollers) > 1:
        return _table_of_rollers(board, texts, target_max_mps)
    return _full(board.rollers[0], texts, target_max_mps, min(width, 80), height)


def _full(
    picture: RollerPicture, texts: Texts, target_max_mps: float | None, width: int, height: int
) -> RenderableType:
    band = band_of(picture, target_max_mps)
    colour = COLOURS[band]
    return Panel(
        Group(
            _digits(picture, texts, colour),
            Text(),
            _gauge(picture, width - 4, colour),
            Text(_verdict(picture, target_max_mps, texts), style=colour),
            Text(),
            Text(_counters(picture, texts)),
            Text(),
            _strokes(picture.strokes[: max(height - ROWS_AROUND_STROKES, 1)], texts),
        ),
        title=Text(_name(picture)),
        title_align="left",
        subtitle=_link(picture, texts),
        subtitle_align="right",
        border_style=colour,
        width=width,
    )


def _digits(picture: RollerPicture, texts: Texts, colour: str) -> Text:
    lines = large(_speed(picture, texts))
    unit = "  cm/s"
    if picture.speed_sd_mps is not None:
        unit = f"  ± {texts.error(picture.speed_sd_mps)} cm/s"
    return Text("\n".join([*lines[:-1], lines[-1] + unit]), style=colour)


def _speed(picture: RollerPicture, texts: Texts) -> str:
    if picture.state == "unknown":
        return "?"
    return texts.number(abs(100 * picture.speed_mps) if picture.speed_mps is not None else 0.0)


def _gauge(picture: RollerPicture, width: int, colour: str) -> Text:
    """A bar from zero to twice the limit, with a mark at the limit."""
    share = 0.0
    if picture.speed_mps is not None and picture.limit_mps:
        share = min(abs(picture.speed_mps) / (GAUGE_LIMITS * picture.limit_mps), 1.0)
    filled = round(share * width)
    mark = round(width / GAUGE_LIMITS)
    gauge = Text.assemble(("━" * filled, colour), ("─" * (width - filled), "dim"))
    return Text.assemble(gauge[:mark], ("┃", "bold"), gauge[mark + 1 :])


def _verdict(picture: RollerPicture, target_max_mps: float | None, texts: Texts) -> str:
    band = band_of(picture, target_max_mps)
    near = texts.near_limit if target_max_mps is None else texts.above_target
    if picture.alerts and band not in {"red", "amber"}:
        return texts.alerts[picture.alerts[0].kind]
    words = {
        "green": texts.pausing
        if abs(picture.speed_mps or 0.0) < THRESHOLD_MPS
        else f"{texts.states['rolling']}, {texts.in_target}",
        "amber": f"{texts.states['rolling']}, {near}",
        "red": texts.too_fast,
        "rest": texts.states[picture.state],
        "unknown": texts.not_judged,
    }
    return words[band]


def _counters(picture: RollerPicture, texts: Texts) -> str:
    seconds = int(picture.session_s)
    limit = None if picture.limit_mps is None else 100 * picture.limit_mps
    return "   ".join(
        (
            f"{texts.strokes} {picture.stroke_count}",
            f"{texts.strokes_too_fast} {picture.too_fast_count}",
            f"{texts.time} {seconds // 60}:{seconds % 60:02d}",
            f"{texts.limit} {texts.number(limit)} cm/s",
        )
    )


def _strokes(strokes: tuple[JudgedStroke, ...], texts: Texts) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in (texts.stroke, texts.length, texts.duration, texts.mean, texts.peak):
        table.add_column(heading, justify="right")
    table.add_column("")
    for judged in strokes:
        stroke = judged.stroke
        mean = texts.hundredfold(stroke.mean_speed_mps)
        known = stroke.mean_speed_mps is not None
        verdict, colour = texts.verdict(known=known, too_fast=judged.too_fast)
        table.add_row(
            f"{stroke.n} {'→' if stroke.direction > 0 else '←'}",
            f"{texts.hundredfold(stroke.length_m)} cm",
            f"{texts.number(stroke.duration_s)} s",
            f"{mean} ± {texts.error(stroke.mean_speed_sd_mps)} cm/s",
            f"{texts.hundredfold(stroke.peak_speed_mps)} cm/s",
            verdict,
            style=colour,
        )
    return table


def _table_of_rollers(board: Board, texts: Texts, target_max_mps: float | None) -> Table:
    table = Table(header_style="dim", expand=False)
    table.add_column(texts.roller)
    table.add_column(texts.speed, justify="right")
    table.add_column(texts.state)
    for heading in (texts.strokes, texts.strokes_too_fast, texts.battery):
        table.add_column(heading, justify="right")
    table.add_column(texts.link)
    for picture in board.rollers:
        battery = "" if picture.battery_pct is None else f"{picture.battery_pct} %"
        table.add_row(
            Text(_name(picture)),
            Text(f"{_speed(picture, texts)} cm/s", style=COLOURS[band_of(picture, target_max_mps)]),
            texts.states[picture.state],
            str(picture.stroke_count),
            str(picture.too_fast_count),
            battery,
            _link_words(picture, texts),
        )
    return table


def _line(picture: RollerPicture, texts: Texts, target_max_mps: float | None) -> Text:
    band = band_of(picture, target_max_mps)
    return Text(
        f"{_speed(picture, texts)} cm/s {texts.states[picture.state]}, "
        f"{texts.strokes} {picture.stroke_count} ({picture.too_fast_count} {texts.fast})",
        style=COLOURS[band],
    )


def _name(picture: RollerPicture) -> str:
    roller = picture.roller
    return f"{roller.id} ({roller.region})" if roller.region else roller.id


def _link(picture: RollerPicture, texts: Texts) -> str:
    words = [_link_words(picture, texts)]
    if picture.battery_pct is not None:
        words.append(f"{texts.battery} {picture.battery_pct} %")
    return ", ".join(word for word in words if word)


def _link_words(picture: RollerPicture, texts: Texts) -> str:
    if picture.link_up is None:
        return ""
    return texts.link_up if picture.link_up else texts.link_down
