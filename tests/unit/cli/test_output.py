"""Numbers as people read them."""

from __future__ import annotations

import json
import math

import pytest

from rolltrack.cli.output import cm_per_s, minutes, print_json, progress_bar


@pytest.mark.parametrize(
    ("speed_mps", "text"),
    [(0.0432, "4.3"), (-0.0432, "-4.3"), (0.0, "0.0"), (None, "?"), (math.nan, "?")],
)
def test_speeds_read_in_cm_per_s_and_unknown_is_never_a_number(speed_mps, text):
    assert cm_per_s(speed_mps) == text


@pytest.mark.parametrize(
    ("duration_s", "text"), [(0.4, "0:00"), (83.4, "1:23"), (59.6, "1:00"), (3600.0, "60:00")]
)
def test_minutes(duration_s, text):
    assert minutes(duration_s) == text


def test_json_is_one_document_and_nan_is_null(capsys):
    print_json({"speed": math.nan, "unit": "µm"})
    assert json.loads(capsys.readouterr().out) == {"speed": None, "unit": "µm"}


def test_the_progress_bar_keeps_quiet_without_a_terminal(capsys):
    with progress_bar("working") as done:
        done(0.5)
    assert capsys.readouterr() == ("", "")
