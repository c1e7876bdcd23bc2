"""A session's summary in sentences, for `analyse` and `demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.sinks.live_texts import TEXTS

if TYPE_CHECKING:
    from rolltrack.sinks.live_texts import Lang
    from rolltrack.wire import SessionPayload


_LONG_S = 5.0


def session_in_words(session: SessionPayload, lang: Lang = "en") -> list[str]:
    """What was rolled, how fast, and what is not known; one sentence each."""
    return _german(session) if lang == "de" else _english(session)


def _english(session: SessionPayload) -> list[str]:
    strokes = _count(session.strokes, "stroke", "strokes")
    limit = _cm(session.limit_mm_s)
    over = "" if session.distance_m is None else f" over {_decimal(session.distance_m)} m"
    whose = "them" if session.distance_m is not None else "those whose speed is known"
    words = [
        (
            f"{strokes}, {session.too_fast_strokes} of {whose} faster than the limit"
            f" (at the end {limit} cm/s, protocol {session.protocol})."
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
    if session.mean_mm_s is not None and session.strokes:
        words.append(
            f"Mean speed {_cm(session.mean_mm_s)} cm/s, 95 % of the time below "
            f"{_cm(session.p95_mm_s)} cm/s, peak {_cm(session.peak_mm_s)} cm/s."
        )
    if session.unknown_s or session.gaps:
        words.append(
            f"Not measurable for {_decimal(session.unknown_s)} s; "
            f"{_count(session.gaps, 'gap', 'gaps')}"
            + (f", {session.samples_lost} readings lost." if session.samples_lost else ".")
        )
    if _hardly_known(session):
        words.append(
            "It hardly moves like a roller on its axle. If it is a ball or a phone worn on the"
            " body, say so: --shape ball or --shape body, or `shape` in its [[rollers]] entry."
        )
    return words


def _german(session: SessionPayload) -> list[str]:
    strokes = _count(session.strokes, "Zug", "Züge")
    limit = _cm(session.limit_mm_s, "de")
    over = "" if session.distance_m is None else f" über {_decimal(session.distance_m, 'de')} m"
    whose = "davon" if session.distance_m is not None else "von denen mit bekanntem Tempo"
    words = [
        (
            f"{strokes}, {whose} {session.too_fast_strokes} schneller als die Grenze"
            f" (am Ende {limit} cm/s, Protokoll {session.protocol})."
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
    if session.mean_mm_s is not None and session.strokes:
        words.append(
            f"Mittleres Tempo {_cm(session.mean_mm_s, 'de')} cm/s, 95 % der Zeit unter "
            f"{_cm(session.p95_mm_s, 'de')} cm/s, Spitze {_cm(session.peak_mm_s, 'de')} cm/s."
        )
    if session.unknown_s or session.gaps:
        words.append(
            f"{_decimal(session.unknown_s, 'de')} s nicht messbar; "
            f"{_count(session.gaps, 'Lücke', 'Lücken')}"
            + (f", {session.samples_lost} Messwerte verloren." if session.samples_lost else ".")
        )
    if _hardly_known(session):
        words.append(
            "Das bewegt sich kaum wie eine Rolle auf ihrer Achse. Ist es ein Ball oder ein am"
            " Körper getragenes Telefon: --shape ball oder --shape body, oder `shape` in"
            " [[rollers]]."
        )
    return words


def _hardly_known(session: SessionPayload) -> bool:
    """Whether most of it was motion that the model does not fit."""
    known_s = session.rolling_s + session.hold_s
    return not session.strokes and session.unknown_s > max(known_s, _LONG_S)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _cm(speed_mm_s: float | None, lang: Lang = "en") -> str:
    return TEXTS[lang].number(None if speed_mm_s is None else speed_mm_s / 10)


def _decimal(value: float | None, lang: Lang = "en") -> str:
    return TEXTS[lang].number(value)
