"""Tables of strokes: what is not known is said in words, in both languages."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from rich.console import Console
from support import sample_events as sample

from rolltrack.cli.table_texts import TABLE_TEXTS
from rolltrack.cli.tables import analysed_table, stored_table


def shown(table):
    console = Console(width=100)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def changed(**changes):
    judged = sample.judged(1)
    return [replace(judged, stroke=replace(judged.stroke, **changes))]


@pytest.mark.parametrize("table", [analysed_table, stored_table])
@pytest.mark.parametrize(
    ("lang", "unknown", "partly"),
    [
        ("en", "speed not known", "ok, partly not measured"),
        ("de", "Tempo nicht bekannt", "gut, teils nicht gemessen"),
    ],
)
def test_what_is_not_known_is_no_number_and_no_praise(table, lang, unknown, partly):
    strokes = changed(length_m=None, peak_speed_mps=None, mean_speed_sd_mps=None)
    text = shown(table(strokes, lang))
    assert text.rstrip().endswith(unknown)
    assert text.count("? cm/s") == 2
    assert shown(table(changed(partly_unknown=True), lang)).rstrip().endswith(partly)


def test_every_text_exists_in_every_language_with_the_same_places():
    english = TABLE_TEXTS["en"]
    for texts in TABLE_TEXTS.values():
        for field in fields(texts):
            text = getattr(texts, field.name)
            assert text
            assert text.count("{") == getattr(english, field.name).count("{")
