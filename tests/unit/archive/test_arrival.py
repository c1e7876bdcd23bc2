import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import archives
from support import sample_events as sample

from rolltrack import wire
from rolltrack.archive.arrival import LARGEST_BYTES, read_arrival
from rolltrack.errors import InputError

TOPIC, BODY = archives.message()


def changed(**changes) -> bytes:
    document = json.loads(BODY) | changes
    return json.dumps({k: v for k, v in document.items() if v != "absent"}).encode()


def test_a_payload_and_its_summary_say_the_same():
    read = archives.arrival(7, peak_speed_mps=None, region="Wade links")
    assert wire.session_payload(read.summary) == read.payload
    assert read.summary.peak_speed_mps is None
    assert read.summary.limit_mps == 0.075
    assert read.summary.started_unix_s == pytest.approx(sample.summary().started_unix_s, abs=1e-3)


def test_keys_of_a_later_version_are_kept_in_the_text():
    read = read_arrival(TOPIC, changed(mood="good"))
    assert json.loads(read.text)["mood"] == "good"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 10_000, "is not JSON"),
        (b"[]", "it is no object"),
        (BODY[:-1], "is not JSON"),
        (BODY[:-1] + b',"x":"\x00"}', "is not JSON"),
        (BODY[:-1] + b',"x":"\xff"}', "is not JSON"),
        (b" " * LARGEST_BYTES + BODY, "at most"),
        (changed(strokes="absent"), "strokes is missing"),
        (changed(strokes=-1), "strokes is wrong"),
        (changed(strokes=2**31), "strokes is too large"),
        (changed(strokes=10**30), "strokes is too large"),
        (changed(end="Robert'); DROP TABLE"), "end is wrong"),
        (changed(mean_mm_s=float("nan")), "is not JSON"),
        (changed(distance_m=1e300), "distance_m is too large"),
        (changed(v=2), "is of version 2"),
        (changed(revision=0), "revision is less than 1"),
        (changed(athlete="b2"), "another athlete"),
        (changed(session_id=archives.session_id(1)), "another session"),
        (changed(roller="RT 1"), "roller is not an id"),
        (changed(region="calf\nleft"), "region is too long or not printable"),
        (changed(region="calf\x00"), "region is too long or not printable"),
        (changed(region="x" * 201), "region is too long or not printable"),
        (changed(started_at="yesterday"), "started_at is not a time"),
        (changed(ended_at="2026-11-23T10:13:20"), "ended_at is not a time"),
    ],
)
def test_what_is_no_session_is_refused_with_a_reason_in_our_words(body, reason):
    with pytest.raises(InputError, match=reason) as caught:
        read_arrival(TOPIC, body)
    assert str(caught.value).isprintable()
    assert "DROP" not in str(caught.value)


@pytest.mark.parametrize("number", ["", "x", "{019ab2f1-7c3a-7d10-8a51-000000000000}"])
def test_a_session_id_is_a_uuid(number):
    with pytest.raises(InputError, match="not a UUID"):
        read_arrival(f"rolltrack/v1/gym/a/a7k2/session/{number}", changed(session_id=number))


@given(
    st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_nothing_that_is_sent_does_more_than_be_refused(body):
    with pytest.raises(InputError):
        read_arrival(TOPIC, body)
