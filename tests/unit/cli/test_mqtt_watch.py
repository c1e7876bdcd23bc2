"""What the wall of all rollers says of a message."""

from __future__ import annotations

import msgspec
import pytest
from support import sample_events as sample

from rolltrack import wire
from rolltrack.cli.mqtt_watch import Wall
from rolltrack.mqtt import Incoming

TOPICS = wire.Topics("home")


def said(topic, payload, lang="en"):
    message = Incoming(topic, wire.encode(payload), qos=1, retain=False, mid=1)
    return Wall(lang).take(message, 0.0)


def test_a_session_that_comes_on_two_topics_is_said_once():
    summary = wire.session_payload(sample.summary())
    assert "session: 96 strokes" in said(TOPICS.session("a7k2", summary.session_id), summary)
    assert said(TOPICS.last_session("a7k2"), summary) is None


@pytest.mark.parametrize(
    ("lang", "says"), [("en", "partly not measured"), ("de", "teils nicht gemessen")]
)
def test_a_stroke_that_was_not_seen_whole_says_so(lang, says):
    whole = wire.stroke_payload(sample.stroke_ended(3), epoch_unix_s=sample.EPOCH_UNIX_S, seq=1)
    topic = TOPICS.of_roller("a7k2", "rt-1", "stroke")
    assert says not in said(topic, whole, lang)
    cut = msgspec.structs.replace(whole, partly_unknown=True)
    assert said(topic, cut, lang).endswith(says)
