"""The words of `rolltrack mqtt watch` that the live view does not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolltrack.sinks.live_texts import Lang


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    athlete: str
    age: str
    session: str
    raised: str
    cleared: str
    nothing_yet: str
    heard: str


WORDS: Mapping[Lang, Words] = {
    "en": Words(
        "athlete",
        "heard",
        "session",
        "alert",
        "over",
        "No strokes or alerts yet.",
        "Rollers heard of: {}.",
    ),
    "de": Words(
        "Person",
        "gehört",
        "Sitzung",
        "Warnung",
        "vorbei",
        "Noch keine Züge oder Warnungen.",
        "Rollen, von denen zu hören war: {}.",
    ),
}
