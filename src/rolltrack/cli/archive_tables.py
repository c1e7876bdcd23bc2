"""How an archive's answers are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from rolltrack.cli.archive_texts import WEEK_TEXTS
from rolltrack.cli.output import UNKNOWN, minutes
from rolltrack.cli.tables import local_time
from rolltrack.wire import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rolltrack.archive.reading import Dose, RefusedMessage
    from rolltrack.sinks.live_texts import Lang

WARN_SHARE = 0.2
"""From this share of too fast strokes on a coach may want to look; it is a colour, no verdict."""


def athletes_table(doses: Sequence[Dose], since_unix_s: float, lang: Lang = "en") -> Table:
    """One line per athlete."""
    say = WEEK_TEXTS[lang]
    table = Table(
        box=None,
        pad_edge=False,
        header_style="dim",
        title=say.since.format(local_time(since_unix_s)),
        title_style="dim",
        title_justify="left",
    )
    table.add_column(say.athlete, overflow="fold")
    for heading in (say.sessions, say.rolled, say.strokes, say.too_fast):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(say.last, no_wrap=True)
    for dose in doses:
        table.add_row(
            dose.athlete,
            str(dose.sessions),
            minutes(dose.rolling_s),
            str(dose.strokes),
            _share(dose.too_fast_share),
            local_time(dose.last_unix_s),
        )
    return table


def dose_document(doses: Sequence[Dose], since_unix_s: float) -> dict[str, object]:
    """The same for scripts."""
    return {
        "v": 1,
        "since": rfc3339(since_unix_s),
        "athletes": [
            {
                "athlete": dose.athlete,
                "sessions": dose.sessions,
                "rolling_s": round(dose.rolling_s, 1),
                "strokes": dose.strokes,
                "too_fast_strokes": dose.too_fast_strokes,
                "too_fast_share": dose.too_fast_share,
                "last_session_at": rfc3339(dose.last_unix_s),
            }
            for dose in doses
        ],
    }


def refused_table(refused: Sequence[RefusedMessage]) -> Table:
    """One line per message; what strangers wrote is shown in ASCII only."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("arrived", no_wrap=True)
    for heading in ("topic", "it …", "body"):
        table.add_column(heading, overflow="fold")
    for each in refused:
        table.add_row(
            local_time(each.arrived_unix_s),
            Text(ascii(each.topic)[1:-1]),
            Text(each.reason),
            Text(ascii(each.body[:60])[2:-1]),
        )
    return table


def _share(share: float | None) -> Text:
    if share is None:
        return Text(UNKNOWN)
    return Text(f"{100 * share:.0f} %", "red" if share >= WARN_SHARE else "green")
