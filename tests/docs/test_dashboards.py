"""The example dashboards name only entities, topics, keys and columns that exist."""

import json
import re
from pathlib import Path

import psycopg
import pytest
import yaml
from support import archives
from support import sample_events as sample

from rolltrack import wire
from rolltrack.archive.store import ArchiveStore
from rolltrack.mqtt.topic_filter import matches
from rolltrack.wire.home_assistant import Announced, discovery_payload

DASHBOARDS = Path(__file__).parents[2] / "examples" / "dashboards"
TOPICS = wire.Topics("home")
WHO = ("a7k2", "rt-3f2a")
ROLLERS = (Announced("rt-3f2a", "a7k2", "", "0"), Announced("rt-9c1d", "b3m9", "", "0"))
ENTITIES = {
    component["default_entity_id"]
    for roller in ROLLERS
    for component in discovery_payload(roller, TOPICS)["components"].values()
}
PUBLISHED = {
    TOPICS.of_roller(*WHO, "live"): wire.LivePayload,
    TOPICS.of_roller(*WHO, "state"): wire.StatePayload,
    TOPICS.of_roller(*WHO, "stroke"): wire.StrokePayload,
    TOPICS.of_roller(*WHO, "alert"): wire.AlertPayload,
    TOPICS.session("a7k2", sample.SESSION_ID): wire.SessionPayload,
    TOPICS.command_result(*WHO, "set-limit"): wire.CommandResult,
}
FLOW = json.loads((DASHBOARDS / "node-red" / "flow.json").read_text("utf-8"))
GRAFANA = json.loads((DASHBOARDS / "grafana" / "dashboard.json").read_text("utf-8"))


def strings(value):
    """Every text in nested lists and tables."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return [text for each in value for text in strings(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", ["dashboard.yaml", "automation.yaml"])
def test_home_assistant_has_every_entity(name):
    document = yaml.safe_load((DASHBOARDS / "home-assistant" / name).read_text("utf-8"))
    everything = "\n".join(strings(document))
    named = set(re.findall(r"\b(?:binary_sensor|sensor|number|button|event)\.\w+", everything))
    assert named
    assert named <= ENTITIES
    used = set(re.findall(r"state_attr\(last, '(\w+)'\)", everything))
    assert used <= set(wire.SessionPayload.__struct_fields__)


def test_the_lamp_follows_the_entity_in_both_directions():
    (rule,) = yaml.safe_load((DASHBOARDS / "home-assistant" / "automation.yaml").read_text("utf-8"))
    triggers = {each["id"] for each in rule["triggers"]}
    chosen = {each["conditions"][0]["id"] for each in rule["actions"][0]["choose"]}
    assert triggers == chosen


def payloads_of(topic_filter):
    return {kind for topic, kind in PUBLISHED.items() if matches(topic_filter, topic)}


def test_the_flow_listens_where_something_is_published_and_uses_its_keys():
    nodes = {node["id"]: node for node in FLOW}
    for node in FLOW:
        for wires in node.get("wires", []):
            assert set(wires) <= set(nodes), node["name"]
    for source in (node for node in FLOW if node["type"] == "mqtt in"):
        (payload,) = payloads_of(source["topic"])
        behind, todo = [], [*source["wires"][0]]
        while todo:
            node = nodes[todo.pop()]
            behind.append(node)
            todo += [each for wires in node["wires"] for each in wires]
        used = set(re.findall(r"payload\.(\w+)", "\n".join(strings(behind))))
        assert used
        assert used <= set(payload.__struct_fields__), source["name"]


def test_the_flow_sends_commands_the_service_takes():
    (out,) = [node for node in FLOW if node.get("name") == "set-limit"]
    assert out["topic"] == TOPICS.command(*WHO, "set-limit")
    assert out["retain"] == "false"
    (build,) = [node for node in FLOW if node["type"] == "function"]
    keys = set(re.findall(r"(\w+): ", build["func"]))
    assert {"id", "ts", "limit_mm_s"} == keys <= set(wire.Command.__struct_fields__)


def targets():
    return [(panel, target) for panel in GRAFANA["panels"] for target in panel["targets"]]


def test_grafana_shows_keys_of_topics_that_are_published():
    live = [(panel, target["topic"]) for panel, target in targets() if "topic" in target]
    assert len(live) == 2
    variables = {each["name"]: each["query"] for each in GRAFANA["templating"]["list"]}
    for panel, topic in live:
        filled = re.sub(r"\$(\w+)", lambda match: variables[match[1]], topic)
        (payload,) = payloads_of(filled)
        shown = set(panel["transformations"][0]["options"]["include"]["names"]) - {"Time"}
        assert shown <= set(payload.__struct_fields__)


def test_grafanas_queries_run_in_an_archive_and_take_the_latest_revision(cluster):
    database = cluster.new_database()
    store = ArchiveStore(archives.at(database))
    kept = [archives.arrival(1), archives.arrival(1, revision=2, strokes=80), archives.arrival(2)]
    store.keep(kept, [], site="gym", arrived_unix_s=0.0)
    store.close()
    queries = [target["rawSql"] for _, target in targets() if "rawSql" in target]
    assert len(queries) == 2
    for query in queries:
        sql = query.replace("$__unixEpochFrom()", "0").replace("$__unixEpochTo()", "4e9")
        with psycopg.connect(database) as connection:
            rows = connection.execute(sql).fetchall()
        assert len(rows) == 2
        assert all(row[0].year == 2025 for row in rows)


def test_every_data_source_is_asked_for_at_import():
    asked = {f"${{{each['name']}}}" for each in GRAFANA["__inputs"]}
    assert {target["datasource"]["uid"] for _, target in targets()} == asked
