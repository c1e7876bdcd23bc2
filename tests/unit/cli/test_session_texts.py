"""A session in sentences: counts agree with the numbers, and nothing unknown becomes a number."""

from __future__ import annotations

import pytest
from support import sample_events as sample

from rolltrack.cli.session_texts import session_in_words
from rolltrack.wire import session_payload


def said(lang="en", **changes):
    return " ".join(session_in_words(session_payload(sample.summary(**changes)), lang))


def test_english():
    text = said()
    assert (
        "96 strokes, 11 of them faster than the limit (at the end 7.5 cm/s, protocol slow-release)."
        in text
    )
    assert "Rolled for 214 s over 8.2 m, held for 62 s, above the limit for 21 s." in text
    assert "Mean speed 3.8 cm/s, 95 % of the time below 5.8 cm/s, peak 9.1 cm/s." in text
    assert "Not measurable" not in text


def test_german():
    text = said("de", gaps=1, unknown_s=2.5, samples_lost=30)
    assert (
        "96 Züge, davon 11 schneller als die Grenze (am Ende 7,5 cm/s, Protokoll slow-release)."
        in text
    )
    assert "2,5 s nicht messbar; 1 Lücke, 30 Messwerte verloren." in text


def test_a_session_without_rolling_has_no_speeds():
    text = said(
        strokes=0, too_fast_strokes=0, mean_speed_mps=None, p95_speed_mps=None, peak_speed_mps=None
    )
    assert "0 strokes" in text
    assert "Mean speed" not in text


@pytest.mark.parametrize(("lang", "ends"), [("en", "1 gap."), ("de", "1 Lücke.")])
def test_a_gap_of_readings_that_nobody_counted_is_not_said_to_have_lost_none(lang, ends):
    text = said(lang, gaps=1, unknown_s=2.0, samples_lost=0)
    assert ends in text
    assert " 0 " not in text.partition(ends)[0].rpartition(".")[2]


def test_gaps_are_told():
    text = said(gaps=2, unknown_s=1.5, samples_lost=7)
    assert "Not measurable for 1.5 s; 2 gaps, 7 readings lost." in text
    assert said(strokes=1).startswith("1 stroke,")


def test_what_hardly_moves_like_a_roller_is_asked_for_its_shape():
    still = {"strokes": 0, "too_fast_strokes": 0, "rolling_s": 0.1, "hold_s": 0.0}
    assert "--shape ball" in said(**still, unknown_s=60.3)
    assert "Mean speed" not in said(**still, unknown_s=60.3)
    assert "--shape ball" in said("de", **still, unknown_s=60.3)
    assert "--shape" not in said(**still, unknown_s=3.0)
    assert "--shape" not in said(unknown_s=60.3)


def test_of_a_worn_phone_only_known_speeds_are_counted():
    assert "3 of those whose speed is known faster" in said(too_fast_strokes=3, distance_m=None)
    assert "von denen mit bekanntem Tempo 3 schneller" in said(
        "de", too_fast_strokes=3, distance_m=None
    )
