"""Live view: what people see, in both languages and on every terminal."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from rich.console import Console
from support import sample_events as sample

from rolltrack.core.events import BatteryLevel, LinkChanged
from rolltrack.sinks.live_board import Board, RollerPicture
from rolltrack.sinks.live_digits import ROWS, large
from rolltrack.sinks.live_texts import ENGLISH, GERMAN, TEXTS, language_of
from rolltrack.sinks.live_view import band_of, render


def board_of(*events, roller=sample.ROLLER, board=None):
    board = board or Board()
    for event in events:
        board = board.after(roller, event)
    return board


def shown(board, texts=ENGLISH, *, width=80, height=24):
    console = Console(width=width, height=height, color_system=None)
    view = render(board, texts, target_max_mps=0.04, width=width, height=height)
    with console.capture() as captured:
        console.print(view)
    return captured.get()


@pytest.mark.parametrize(
    ("speed_mps", "state", "too_fast", "band"),
    [
        (0.03, "rolling", False, "green"),
        (-0.03, "rolling", False, "green"),
        (0.05, "rolling", False, "amber"),
        (-0.08, "rolling", False, "red"),
        (0.07, "rolling", True, "red"),
        (0.001, "hold", False, "rest"),
        (0.0, "idle", False, "rest"),
        (None, "unknown", False, "unknown"),
    ],
)
def test_band(speed_mps, state, too_fast, band):
    event = sample.live(speed_mps=speed_mps, state=state, too_fast=too_fast)
    assert band_of(RollerPicture(sample.ROLLER).after(event), 0.04) == band


def test_amber_begins_below_the_limit_when_no_target_is_known():
    picture = RollerPicture(sample.ROLLER).after(sample.live(speed_mps=0.061))
    assert band_of(picture, None) == "amber"
    assert band_of(replace(picture, speed_mps=0.059), None) == "green"


def test_a_running_session_fits_an_ordinary_terminal_and_shows_everything():
    strokes = [sample.stroke_ended(n, too_fast=n == 12) for n in range(1, 13)]
    board = board_of(
        sample.started(),
        LinkChanged(0.0, up=True),
        BatteryLevel(0.0, 87),
        *strokes,
        sample.live(t_s=43.0, speed_mps=0.091, too_fast=True),
    )
    text = shown(board)
    assert len(text.splitlines()) <= 23
    assert max(map(len, text.splitlines())) <= 80
    assert "faster than your protocol's target" in text
    assert "strokes 12   too fast 1   time 0:42   limit 7.5 cm/s" in text
    assert "connected, battery 87 %" in text
    assert "± 0.2 cm/s" in text
    for row in large("9.1"):
        assert row in text
    for n in range(5, 13):
        assert f" {n} {'←' if n % 2 else '→'} " in text


def test_german_speaks_german_with_decimal_commas():
    text = shown(board_of(sample.started(), sample.stroke_ended(1), sample.live()), GERMAN)
    assert "Grenze 7,5 cm/s" in text
    assert "7.5" not in text
    for row in large("4,3"):
        assert row in text


def test_an_unknown_speed_is_a_question_mark_never_a_number():
    text = shown(board_of(sample.started(), sample.live(), sample.live(speed_mps=None)))
    assert large("?")[0] in text
    assert "not measured right now" in text
    assert "0.0" not in text


def test_a_stroke_without_a_speed_is_not_called_ok():
    event = sample.stroke_ended(3)
    stroke = replace(
        event.judged.stroke, length_m=None, peak_speed_mps=None, mean_speed_sd_mps=None
    )
    event = replace(event, judged=replace(event.judged, stroke=stroke))
    text = shown(board_of(sample.started(), event))
    assert "speed not known" in text
    assert " ok" not in text


@pytest.mark.parametrize(("target_max_mps", "said"), [(0.04, "above the target"), (None, "close")])
def test_between_target_and_limit_it_says_which(target_max_mps, said):
    board = board_of(sample.started(), sample.live(speed_mps=0.065))
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(render(board, ENGLISH, target_max_mps=target_max_mps, width=80, height=24))
    assert said in captured.get()


def test_a_fault_of_the_sensor_is_said_while_nothing_is_too_fast():
    alert = sample.alert(kind="clipping")
    assert "beyond the sensor's range" in shown(board_of(sample.live(speed_mps=0.03), alert))


def test_several_rollers_are_rows():
    board = board_of(sample.live())
    second = replace(sample.ROLLER, id="rt-thigh", region="[left]")
    board = board_of(sample.live(speed_mps=0.02), roller=second, board=board)
    text = shown(board)
    assert "4.3 cm/s" in text
    assert "2.0 cm/s" in text
    assert "[left]" in text


def test_a_small_terminal_gets_one_line():
    text = shown(board_of(sample.live()), width=40, height=24)
    assert text.splitlines() == ["4.3 cm/s rolling, strokes 0 (0 too fast)"]


def test_before_the_first_roller_it_says_what_to_do():
    assert "Roll it once" in shown(Board())


def test_every_text_exists_in_every_language():
    for texts in TEXTS.values():
        assert all(getattr(texts, field.name) for field in fields(texts))
        assert texts.states.keys() == ENGLISH.states.keys()
        assert texts.alerts.keys() == ENGLISH.alerts.keys()


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "de_AT"}, "de"),
    ],
)
def test_language_of_the_environment(environment, lang):
    assert language_of(environment) == lang


def test_every_digit_is_five_rows_of_equal_width():
    for character in "0123456789.,-?":
        rows = large(character)
        assert len(rows) == ROWS
        assert len({len(row) for row in rows}) == 1
    assert len({large(digit) for digit in "0123456789"}) == 10


@pytest.mark.parametrize(
    ("sd_mps", "english", "german"),
    [(0.002, "0.2", "0,2"), (0.0001, "0.1", "0,1"), (None, "?", "?")],
)
def test_no_speed_is_shown_without_an_error(sd_mps, english, german):
    assert (ENGLISH.error(sd_mps), GERMAN.error(sd_mps)) == (english, german)
