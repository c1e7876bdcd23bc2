"""Board: what the live view remembers of each roller."""

from __future__ import annotations

from dataclasses import replace

from support import sample_events as sample

from rolltrack.core.events import BatteryLevel, LinkChanged, SessionDiscarded, SessionEnded
from rolltrack.sinks.live_board import STROKES_KEPT, Board


def picture_after(*events):
    board = Board()
    for event in events:
        board = board.after(sample.ROLLER, event)
    return board.rollers[0]


def test_a_session_counts_its_strokes_and_starts_from_zero():
    strokes = [sample.stroke_ended(n, too_fast=n == 2) for n in (1, 2, 3)]
    picture = picture_after(sample.started(), *strokes, sample.live(t_s=11.0))
    assert (picture.stroke_count, picture.too_fast_count) == (3, 1)
    assert picture.session_s == 10.0
    assert [judged.stroke.n for judged in picture.strokes] == [3, 2, 1]
    again = picture_after(sample.started(), *strokes, sample.started("another"))
    assert (again.stroke_count, again.too_fast_count, again.strokes) == (0, 0, ())


def test_only_the_newest_strokes_are_kept_for_the_list():
    picture = picture_after(*(sample.stroke_ended(n) for n in range(1, 21)))
    assert len(picture.strokes) == STROKES_KEPT
    assert picture.strokes[0].stroke.n == 20
    assert picture.stroke_count == 20


def test_final_strokes_replace_the_first_ones_when_the_session_ends():
    finals = tuple(sample.judged(n, too_fast=True) for n in (1, 2))
    summary = sample.summary(strokes=2, too_fast_strokes=2)
    picture = picture_after(
        sample.started(),
        *(sample.stroke_ended(n) for n in (1, 2, 3)),
        SessionEnded(40.0, summary, finals),
    )
    assert [judged.stroke.n for judged in picture.strokes] == [2, 1]
    assert (picture.stroke_count, picture.too_fast_count) == (2, 2)
    assert picture.state == "idle"
    assert round(picture.session_s, 3) == 276.0


def test_a_lost_link_makes_the_speed_unknown_not_zero():
    picture = picture_after(sample.live(), LinkChanged(9.0, up=False))
    assert picture.link_up is False
    assert (picture.speed_mps, picture.speed_sd_mps) == (None, None)
    assert picture.state == "unknown"


def test_alerts_stand_until_cleared():
    clipping = sample.alert(alert_id="a1", kind="clipping")
    battery = sample.alert(alert_id="a2", kind="battery_low")
    assert [a.alert_id for a in picture_after(clipping, battery).alerts] == ["a2", "a1"]
    cleared = picture_after(clipping, battery, replace(clipping, phase="cleared"))
    assert [a.alert_id for a in cleared.alerts] == ["a2"]


def test_a_discarded_session_leaves_the_roller_at_rest():
    picture = picture_after(
        sample.started(), sample.live(), SessionDiscarded(5.0, sample.SESSION_ID)
    )
    assert (picture.state, picture.session_s) == ("idle", 0.0)


def test_rollers_do_not_mix():
    other = replace(sample.ROLLER, id="other")
    board = Board().after(sample.ROLLER, BatteryLevel(0.0, 80)).after(other, BatteryLevel(0.0, 20))
    board = board.after(sample.ROLLER, BatteryLevel(1.0, 79))
    known = [(picture.roller.id, picture.battery_pct) for picture in board.rollers]
    assert known == [("rt-3f2a", 79), ("other", 20)]
