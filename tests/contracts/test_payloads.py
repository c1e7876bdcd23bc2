"""Every payload has exactly the keys and units that people's scripts and dashboards rely on."""

import json
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from support import sample_events as sample

from rolltrack import wire

KEYS = {
    "live": "v ts seq session_id speed_mm_s sd_mm_s dir limit_mm_s state too_fast lag_ms",
    "state": "v ts session_id state too_fast speed_mm_s limit_mm_s strokes too_fast_strokes"
    " battery_pct",
    "stroke": "v ts seq session_id n dur_ms mean_mm_s peak_mm_s length_mm dir too_fast reasons"
    " mean_sd_mm_s partly_unknown",
    "alert": "v ts seq session_id alert_id kind phase value limit unit",
    "session": "v ts session_id revision athlete roller region protocol started_at ended_at"
    " rolling_s hold_s unknown_s strokes too_fast_strokes mean_mm_s p95_mm_s peak_mm_s"
    " time_too_fast_s distance_m limit_mm_s gaps samples samples_lost algorithm end tempo_per_min",
    "receipt": "v ts session_id revision archive",
    "info": "v ts version started sensors counters",
}
EPOCH = {"epoch_unix_s": sample.EPOCH_UNIX_S, "seq": 412}
PAYLOADS = {
    "live": wire.live_payload(sample.live(), **EPOCH),
    "state": wire.StatePayload(ts=1),
    "stroke": wire.stroke_payload(sample.stroke_ended(18, too_fast=True), **EPOCH),
    "alert": wire.alert_payload(sample.alert(), **EPOCH),
    "session": wire.session_payload(sample.summary()),
    "receipt": wire.Receipt(ts=1, session_id=sample.SESSION_ID, revision=1, archive="coach"),
    "info": wire.BridgeInfo(ts=1, version="0.1.0", started="2026-11-23T10:13:20.123Z"),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_are_those_of_the_contract(name):
    assert list(json.loads(wire.encode(PAYLOADS[name]))) == KEYS[name].split()


@pytest.mark.parametrize("name", KEYS)
def test_a_consumer_using_the_schema_can_read_it(name):
    payload = PAYLOADS[name]
    assert msgspec.json.decode(wire.encode(payload), type=type(payload)) == payload


@pytest.mark.parametrize("name", KEYS)
def test_payloads_have_a_json_schema(name):
    schema = msgspec.json.schema(type(PAYLOADS[name]))
    described = schema["$defs"][type(PAYLOADS[name]).__name__]["properties"]
    assert list(described) == KEYS[name].split()


def test_live_values_and_units():
    assert wire.to_builtins(PAYLOADS["live"]) == {
        "v": 1,
        "ts": 1_763_900_001_000,
        "seq": 412,
        "session_id": sample.SESSION_ID,
        "speed_mm_s": 43.2,
        "sd_mm_s": 1.9,
        "dir": 1,
        "limit_mm_s": 75.0,
        "state": "rolling",
        "too_fast": False,
        "lag_ms": 250,
    }


def test_stroke_values_and_units():
    reason = "Mean speed 7.8 cm/s is faster than the 7.5 cm/s of your protocol."
    assert json.loads(wire.encode(PAYLOADS["stroke"])) == {
        "v": 1,
        "ts": 1_763_900_039_120,
        "seq": 412,
        "session_id": sample.SESSION_ID,
        "n": 18,
        "dur_ms": 3120,
        "mean_mm_s": 78.1,
        "peak_mm_s": 91.0,
        "length_mm": 243.7,
        "dir": 1,
        "too_fast": True,
        "reasons": [reason],
        "mean_sd_mm_s": 0.6,
        "partly_unknown": False,
    }


def test_a_stroke_that_was_not_seen_whole_says_so():
    seen = sample.stroke_ended(18)
    stroke = replace(seen.judged.stroke, partly_unknown=True)
    cut = replace(seen, judged=replace(seen.judged, stroke=stroke))
    assert wire.stroke_payload(cut, **EPOCH).partly_unknown


def test_session_values_and_units():
    document = wire.to_builtins(PAYLOADS["session"])
    assert document["ts"] == 1_763_900_276_123
    assert document["started_at"] == "2025-11-23T12:13:20.123Z"
    assert document["ended_at"] == "2025-11-23T12:17:56.123Z"
    assert document["rolling_s"] == 214.0
    assert (document["mean_mm_s"], document["p95_mm_s"], document["peak_mm_s"]) == (38.4, 57.9, 91)
    assert document["distance_m"] == 8.201
    assert document["limit_mm_s"] == 75


def test_topics_are_those_of_the_contract():
    topics = wire.Topics("home")
    assert topics.bridge_status == "rolltrack/v1/home/bridge/status"
    assert topics.bridge_info == "rolltrack/v1/home/bridge/info"
    for leaf in ("availability", "state", "live", "stroke", "alert"):
        assert topics.of_roller("a7k2", "rt-1", leaf) == f"rolltrack/v1/home/a/a7k2/rt-1/{leaf}"
    assert topics.session("a7k2", "s1") == "rolltrack/v1/home/a/a7k2/session/s1"
    assert topics.receipt("a7k2", "s1") == "rolltrack/v1/home/a/a7k2/receipt/s1"
    assert topics.last_session("a7k2") == "rolltrack/v1/home/a/a7k2/last-session"


def test_analysis_document_has_the_keys_of_the_contract():
    strokes = [sample.judged(1), sample.judged(2, too_fast=True)]
    document = wire.to_builtins(
        wire.analysis_document("calf.csv", 0.075, "slow-release", strokes, sample.summary())
    )
    assert list(document) == ["v", "trace", "radius_m", "protocol", "strokes", "session"]
    assert document["session"] == wire.to_builtins(wire.session_payload(sample.summary()))
    assert document["strokes"][1] == {
        "n": 2,
        "start_s": 4.0,
        "end_s": 7.12,
        "direction": 1,
        "duration_s": 3.12,
        "length_m": 0.2437,
        "mean_speed_mps": 0.07811,
        "peak_speed_mps": 0.091,
        "mean_speed_sd_mps": 0.0006,
        "too_fast": True,
        "reasons": strokes[1].reasons,
        "partly_unknown": False,
    }


def test_the_documented_examples_are_such_payloads():
    text = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text(encoding="utf-8")
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    assert set(KEYS.values()) <= {" ".join(each) for each in examples}
    for name, keys in KEYS.items():
        (example,) = [each for each in examples if " ".join(each) == keys]
        assert wire.to_builtins(msgspec.convert(example, type(PAYLOADS[name]))) is not None
