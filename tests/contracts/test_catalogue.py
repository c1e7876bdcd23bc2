"""The catalogue against the contract, and the generated documents against the catalogue."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest
from support import sample_events as sample

from rolltrack import wire
from rolltrack.core.events import BatteryLevel, LinkChanged
from rolltrack.sinks.mqtt_board import RollerBoard
from rolltrack.wire import catalogue
from rolltrack.wire.catalogue import KINDS, find_kind
from rolltrack.wire.documents import asyncapi, documents, schema

DOCS = Path(__file__).parents[2] / "docs"
SESSION = "019ab2f1-7c3a-7d10-8a51-0f6c2b9d4e77"

# Address, QoS, retained: section 4 of what the outside may rely on.
CONTRACT = {
    "bridge/status": (1, True),
    "bridge/info": (1, True),
    "a/{athlete}/{roller}/availability": (1, True),
    "a/{athlete}/{roller}/state": (1, True),
    "a/{athlete}/{roller}/live": (0, False),
    "a/{athlete}/{roller}/stroke": (1, False),
    "a/{athlete}/{roller}/alert": (1, False),
    "a/{athlete}/session/{session_id}": (1, False),
    "a/{athlete}/last-session": (1, True),
    "a/{athlete}/receipt/{session_id}": (1, False),
    "a/{athlete}/{roller}/cmd/{command}": (1, False),
    "a/{athlete}/{roller}/cmd-result/{command}": (1, False),
    "imu/{shard}/{roller}": (1, False),
}


def test_it_is_the_contract():
    assert {kind.address: (kind.qos, kind.retain) for kind in KINDS} == CONTRACT


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("rolltrack/v1/gym/bridge/status", "bridge-status"),
        ("rolltrack/v1/gym/a/a7k2/rt-1/live", "live"),
        (f"rolltrack/v1/gym/a/a7k2/session/{SESSION}", "session"),
        ("rolltrack/v1/gym/a/a7k2/last-session", "last-session"),
        ("rolltrack/v1/gym/a/a7k2/rt-1/cmd/set-limit", "cmd"),
        ("rolltrack/v1/gym/imu/63/rt-1", "imu"),
        ("rolltrack/v1/gym/imu/64/rt-1", None),
        ("rolltrack/v1/gym/a/a7k2/rt-1/cmd/explode", None),
        ("rolltrack/v1/gym/a/a7k2/session/live", None),
        ("rolltrack/v1/Gym/bridge/status", None),
        ("rolltrack/v2/gym/bridge/status", None),
        ("rolltrack/v1/gym/a/a7k2/rt-1/live/x", None),
    ],
)
def test_topics_are_recognised(topic, name):
    found = find_kind(topic)
    assert (found and found[0].name) == name


def test_every_topic_the_code_makes_is_in_it():
    topics = wire.Topics("gym")
    made = [
        topics.bridge_status,
        topics.bridge_info,
        topics.session("a7k2", SESSION),
        topics.last_session("a7k2"),
        topics.receipt("a7k2", SESSION),
        topics.command("a7k2", "rt-1", "start"),
        topics.command_result("a7k2", "rt-1", "start"),
        topics.imu("rt-1"),
        *(
            topics.of_roller("a7k2", "rt-1", leaf)
            for leaf in ("availability", "state", "live", "stroke", "alert")
        ),
    ]
    kinds = [find_kind(topic) for topic in made]
    assert {found[0].name for found in kinds if found} == {kind.name for kind in KINDS}


def messages_of_a_session():
    board = RollerBoard(sample.ROLLER, wire.Topics("home"))
    events = [
        LinkChanged(t_s=0.0, up=True),
        BatteryLevel(t_s=0.0, percent=50),
        sample.started(),
        sample.live(),
        sample.stroke_ended(1, too_fast=True),
        sample.alert(),
        sample.ended(),
    ]
    sent = [m for n, event in enumerate(events) for m in board.take(event, now_s=10.0 * n)]
    return [*sent, *board.leave()]


def test_what_a_roller_publishes_fits_its_schema_and_its_row():
    names = set()
    for message in messages_of_a_session():
        kind, _ = find_kind(message.topic)
        names.add(kind.name)
        assert (message.qos, message.retain) == (kind.qos, kind.retain)
        assert (message.schema, message.expiry_s) == (kind.schema, kind.expiry_s)
        content = json.loads(message.body) if kind.payload else message.body.decode()
        jsonschema.validate(content, schema(kind))
    assert names >= {"availability", "state", "live", "stroke", "alert", "session", "last-session"}


def test_schemas_refuse_what_is_wrong():
    live = json.loads(next(m.body for m in messages_of_a_session() if m.topic.endswith("/live")))
    check = jsonschema.Draft202012Validator(schema(catalogue.LIVE))
    assert check.is_valid(live)
    assert check.is_valid(live | {"new_key": 1})
    for wrong in ({"dir": 2}, {"speed_mm_s": -1}, {"state": "flying"}, {"ts": "now"}):
        assert not check.is_valid(live | wrong)
    del live["ts"]
    assert not check.is_valid(live)


def test_the_documents_are_those_of_the_code():
    for name, text in documents().items():
        path = DOCS / "mqtt" / name
        assert path.read_text(encoding="utf-8") == text, f"{name}: run `make documents`"
    written = {str(p.relative_to(DOCS / "mqtt")) for p in (DOCS / "mqtt").rglob("*.json")}
    assert written == set(documents())


def test_schemas_are_schemas():
    for kind in KINDS:
        jsonschema.Draft202012Validator.check_schema(schema(kind))


def test_every_reference_of_the_asyncapi_document_leads_somewhere():
    document = asyncapi()
    references = re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))
    assert len(references) > 3 * len(KINDS)
    for reference in references:
        place = document
        for part in reference.split("/"):
            place = place[part]
    assert document["asyncapi"] == "3.0.0"
    assert len(document["channels"]) == len(document["operations"]) == len(KINDS)


def test_the_examples_in_the_documentation_fit():
    text = (DOCS / "mqtt.md").read_text(encoding="utf-8")
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    payloads = {kind.payload: schema(kind) for kind in KINDS if kind.payload}
    assert len(examples) >= 7
    for example in examples:
        fitting = [
            p for p, s in payloads.items() if jsonschema.Draft202012Validator(s).is_valid(example)
        ]
        assert fitting, example
        assert any(wire.to_builtins(msgspec.convert(example, p)) for p in fitting)
