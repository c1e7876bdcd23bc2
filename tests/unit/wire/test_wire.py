import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import sample_events as sample

from rolltrack import wire
from rolltrack.errors import UsageError

AT = {"epoch_unix_s": sample.EPOCH_UNIX_S, "seq": 1}


@pytest.mark.parametrize("speed_mps", [None, math.nan, math.inf])
def test_an_unknown_speed_is_null_and_the_state_unknown(speed_mps):
    event = sample.live(speed_mps=speed_mps, state="rolling")
    document = json.loads(wire.encode(wire.live_payload(event, **AT)))
    assert document["speed_mm_s"] is None
    assert document["state"] == "unknown"


def test_live_speed_has_no_sign_but_a_direction():
    payload = wire.live_payload(sample.live(speed_mps=-0.05), **AT)
    assert (payload.speed_mm_s, payload.dir) == (50.0, -1)


def test_a_roller_at_rest_has_no_direction():
    payload = wire.live_payload(sample.live(speed_mps=-0.0004, state="hold"), **AT)
    assert payload.dir == 0


def test_alerts_about_speed_are_in_mm_per_second_and_others_keep_their_unit():
    speed = wire.alert_payload(sample.alert(), **AT)
    assert (speed.value, speed.limit, speed.unit) == (91.0, 75.0, "mm/s")
    battery = sample.alert(kind="battery_low", value=8.0, limit=10.0, unit="%")
    assert wire.alert_payload(battery, **AT).value == 8.0


def test_a_session_without_rolling_has_no_speeds():
    empty = sample.summary(mean_speed_mps=None, p95_speed_mps=None, peak_speed_mps=None)
    document = json.loads(wire.encode(wire.session_payload(empty)))
    assert [document[key] for key in ("mean_mm_s", "p95_mm_s", "peak_mm_s")] == [None] * 3


@given(st.integers(0, 4_000_000_000_000))
def test_times_survive_the_way_to_text_to_the_millisecond(milliseconds):
    text = wire.rfc3339(milliseconds / 1000)
    assert text.endswith("Z")
    _, fraction = text[:-1].split(".")
    assert len(fraction) == 3
    assert int(fraction) == milliseconds % 1000


@pytest.mark.parametrize("bad", ["", "A", "-a", "a/b", "a+b", "#", "x" * 33, "ü", "a\n"])
def test_ids_that_would_break_a_topic_are_refused(bad):
    with pytest.raises(UsageError):
        wire.Topics("home").of_roller(bad, "rt-1", "live")
    with pytest.raises(UsageError):
        wire.Topics(bad)


@pytest.mark.parametrize("word", ["session", "receipt", "last-session"])
def test_a_roller_cannot_take_the_name_of_another_topic(word):
    with pytest.raises(UsageError, match="reserved"):
        wire.Topics("home").of_roller("a7k2", word, "live")
