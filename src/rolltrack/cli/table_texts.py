"""What tables of strokes and sessions say beside the live view's words, in each language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolltrack.sinks.live_texts import Lang


@dataclass(frozen=True, slots=True)
class TableTexts:
    """One language; braces are places for names and numbers."""

    at: str
    after: str
    verdict: str
    started: str
    athlete: str
    region: str
    rolled: str
    too_fast_below: str
    mean_below: str
    peak_below: str
    no_sessions: str
    no_such_sessions: str
    analysing: str
    wrote: str
    radius_assumed: str


TABLE_TEXTS: Mapping[Lang, TableTexts] = {
    "en": TableTexts(
        at="at",
        after="after",
        verdict="verdict",
        started="started",
        athlete="athlete",
        region="region",
        rolled="rolled",
        too_fast_below="too\nfast",
        mean_below="mean\ncm/s",
        peak_below="peak\ncm/s",
        no_sessions="no sessions in {} yet",
        no_such_sessions="no such sessions in {}",
        analysing="analysing",
        wrote="wrote {}",
        radius_assumed=(
            "The trace does not say the roller's radius; {:.0f} mm is assumed and every speed is "
            "proportional to it. Give --radius-mm."
        ),
    ),
    "de": TableTexts(
        at="bei",
        after="nach",
        verdict="Urteil",
        started="Beginn",
        athlete="Sportler",
        region="Bereich",
        rolled="gerollt",
        too_fast_below="zu\nschnell",
        mean_below="Ø\ncm/s",
        peak_below="max.\ncm/s",
        no_sessions="noch keine Sitzungen in {}",
        no_such_sessions="keine solchen Sitzungen in {}",
        analysing="Auswertung",
        wrote="{} geschrieben",
        radius_assumed=(
            "Die Aufnahme nennt den Radius der Rolle nicht; {:.0f} mm sind angenommen, und jedes "
            "Tempo ist proportional dazu. Mit --radius-mm angeben."
        ),
    ),
}
