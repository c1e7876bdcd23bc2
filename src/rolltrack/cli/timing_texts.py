"""What is said of a trace whose times leave doubt about every speed in it, in each language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.cli.output import stderr
from rolltrack.traces.plausibility import doubt_times
from rolltrack.traces.reader import iter_trace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rolltrack.sinks.live_texts import Lang
    from rolltrack.traces.plausibility import TimingDoubt, TimingFault

_LABELS: Mapping[Lang, str] = {"en": "warning", "de": "Warnung"}
_TEXTS: Mapping[Lang, Mapping[TimingFault, str]] = {
    "en": {
        "bursts": (
            "{}: its times come in bursts, as if readings had been stamped when they arrived. "
            "No speed can be trusted. Record the sensor's own time stamps."
        ),
        "slow": (
            "{}: {:.0f} readings per second are too few to resolve fast strokes. "
            "Record at 50 Hz or more."
        ),
    },
    "de": {
        "bursts": (
            "{}: Die Zeiten kommen stoßweise, als wären die Messwerte erst bei der Ankunft "
            "gestempelt worden. Keinem Tempo ist zu trauen. Die Zeitstempel des Sensors selbst "
            "aufzeichnen."
        ),
        "slow": (
            "{}: {:.0f} Messwerte pro Sekunde sind zu wenige, um schnelle Züge aufzulösen. "
            "Mit 50 Hz oder mehr aufzeichnen."
        ),
    },
}


def warn_of_times(trace: Path, lang: Lang = "en") -> None:
    """Say on stderr what the first readings' times give to doubt, if anything.

    Raises:
        InputError: it is not a trace, or something in its first readings is wrong.
    """
    doubt = doubt_times(next(iter_trace(trace)).t_s)
    if doubt is not None:
        warn_of(doubt, trace, lang)


def warn_of(doubt: TimingDoubt, trace: Path, lang: Lang) -> None:
    """Say on stderr what is doubted of a trace's times."""
    text = _TEXTS[lang][doubt.what].format(trace, doubt.rate_hz)
    stderr().print(f"{_LABELS[lang]}: {text}", style="bold", markup=False, soft_wrap=True)
