"""A session's summary in sentences, for `analyse` and `demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.sinks.live_texts import TEXTS

if TYPE_CHECKING:
    from rolltrack.sinks.live_texts import Lang
    from rolltrack.wire import SessionPayload


def session_in_words(session: SessionPayload, lang: Lang = "en") -> list[str]:
    """What was rolled, how fast, and what is not known; one sentence each."""
    return _german(session) if lang == "de" else _english(session)


def _english(session: SessionPayload) -> list[str]:
    strokes = _count(session.strokes, "stroke", "strokes")
    limit = _cm(session.limit_mm_s)
    over = "" if session.distance_m is None else f" over {_decimal(session.distance_m)} m"
    words = [
        (
            f"{strokes}, {session.too_fast_strokes} of them faster than the "
            f"{limit} cm/s of the protocol {session.protocol}."
        ),
        (
            f"Rolled for {session.rolling_s:.0f} s{over}, held for "
            f"{session.hold_s:.0f} s, above the limit for {session.time_too_fast_s:.0f} s."
        ),
    ]
    if session.distance_m is None:
        words.append(
            f"Tempo {_decimal(session.tempo_per_min)} strokes per minute; the speed of slow or "
            "uncertain strokes is not known, so there is no mean."
        )
    if session.mean_mm_s is not None:
        words.append(
            f"Mean speed {_cm(session.mean_mm_s)} cm/s, 95 % of the time below "
            f"{_cm(session.p95_mm_s)} cm/s, peak {_cm(session.peak_mm_s)} cm/s."
        )
    if session.unknown_s or session.gaps:
        words.append(
            f"Not measurable for {_decimal(session.unknown_s)} s; "
            f"{_count(session.gaps, 'gap', 'gaps')}, {session.samples_lost} readings lost."
        )
    return words


def _german(session: SessionPayload) -> list[str]:
    strokes = _count(session.strokes, "Zug", "Züge")
    limit = _cm(session.limit_mm_s, "de")
    over = "" if session.distance_m is None else f" über {_decimal(session.distance_m, 'de')} m"
    words = [
        (
            f"{strokes}, davon {session.too_fast_strokes} schneller als die "
            f"{limit} cm/s des Protokolls {session.protocol}."
        ),
        (
            f"{session.rolling_s:.0f} s gerollt{over}, "
            f"{session.hold_s:.0f} s gehalten, {session.time_too_fast_s:.0f} s über der Grenze."
        ),
    ]
    if session.distance_m is None:
        words.append(
            f"{_decimal(session.tempo_per_min, 'de')} Züge pro Minute; wie schnell langsame oder "
            "unsichere Züge waren, ist nicht bekannt, also auch kein Mittel."
        )
    if session.mean_mm_s is not None:
        words.append(
            f"Mittleres Tempo {_cm(session.mean_mm_s, 'de')} cm/s, 95 % der Zeit unter "
            f"{_cm(session.p95_mm_s, 'de')} cm/s, Spitze {_cm(session.peak_mm_s, 'de')} cm/s."
        )
    if session.unknown_s or session.gaps:
        words.append(
            f"{_decimal(session.unknown_s, 'de')} s nicht messbar; "
            f"{_count(session.gaps, 'Lücke', 'Lücken')}, {session.samples_lost} Messwerte verloren."
        )
    return words


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _cm(speed_mm_s: float | None, lang: Lang = "en") -> str:
    return TEXTS[lang].number(None if speed_mm_s is None else speed_mm_s / 10)


def _decimal(value: float | None, lang: Lang = "en") -> str:
    return TEXTS[lang].number(value)
