"""What the week's overview says, in the languages of coaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolltrack.sinks.live_texts import Lang


@dataclass(frozen=True, slots=True)
class WeekTexts:
    """Headings of `rolltrack archive athletes`; `since` has a place for the time."""

    since: str
    athlete: str
    sessions: str
    rolled: str
    strokes: str
    too_fast: str
    last: str


WEEK_TEXTS: Mapping[Lang, WeekTexts] = {
    "en": WeekTexts(
        since="since {}",
        athlete="athlete",
        sessions="sessions",
        rolled="rolled",
        strokes="strokes",
        too_fast="too fast",
        last="last session",
    ),
    "de": WeekTexts(
        since="seit {}",
        athlete="Sportler",
        sessions="Sitzungen",
        rolled="gerollt",
        strokes="Züge",
        too_fast="zu schnell",
        last="letzte Sitzung",
    ),
}
