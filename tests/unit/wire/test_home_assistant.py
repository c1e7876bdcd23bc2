"""The announcement to Home Assistant avoids what was seen to fail in the real one."""

import contextlib
import json
import re

import msgspec
import pytest

from rolltrack import wire
from rolltrack.wire.home_assistant import Announced, announcement, discovery_payload, removal

TOPICS = wire.Topics("home")
ONE = Announced("rt-3f2a", "a7k2", "Roller 3f2a", "0.1.0")
OTHER = Announced("rt-9c1d", "b3m9", "", "0.1.0")
PAYLOAD = discovery_payload(ONE, TOPICS)
COMPONENTS = PAYLOAD["components"]
OWN = "rolltrack/v1/home/a/a7k2/rt-3f2a"


def test_one_retained_message_says_it_all():
    message = announcement(ONE, TOPICS, "homeassistant")
    assert message.topic == "homeassistant/device/rolltrack_rt-3f2a/config"
    assert (message.qos, message.retain) == (1, True)
    assert json.loads(message.body) == PAYLOAD
    gone = removal("rt-3f2a", "homeassistant")
    assert (gone.topic, gone.retain, gone.body) == (message.topic, True, b"")


def test_the_top_level_has_what_is_mandatory_and_nothing_unknown():
    assert set(PAYLOAD) == {"device", "origin", "components"}
    assert PAYLOAD["origin"]["name"] == "rolltrack"
    assert PAYLOAD["device"]["identifiers"] == ["rolltrack_rt-3f2a"]


def test_the_entities_are_those_people_were_promised():
    assert {key: each["platform"] for key, each in COMPONENTS.items()} == {
        "speed": "sensor",
        "too_fast": "binary_sensor",
        "strokes": "sensor",
        "battery": "sensor",
        "last_session": "sensor",
        "alert": "event",
        "command_result": "event",
        "limit": "number",
        "start": "button",
        "stop": "button",
        "calibrate": "button",
    }


@pytest.mark.parametrize("key", COMPONENTS)
def test_every_component_says_for_itself_what_counts(key):
    component = COMPONENTS[key]
    assert component["qos"] == 1
    assert component["unique_id"] == f"rolltrack_rt-3f2a_{key}"
    platform, _, entity = component["default_entity_id"].partition(".")
    assert platform == component["platform"]
    assert re.fullmatch(r"rolltrack_rt_3f2a_[a-z_]+", entity)
    assert component["availability_mode"] == "all"
    sources = [each["topic"] for each in component["availability"]]
    bridge, roller = "rolltrack/v1/home/bridge/status", f"{OWN}/availability"
    assert sources == ([bridge] if key == "last_session" else [bridge, roller])
    assert {"state_topic", "command_topic"} & set(component)


def test_two_rollers_share_no_id():
    ids = [
        each[key]
        for announced in (ONE, OTHER)
        for each in discovery_payload(announced, TOPICS)["components"].values()
        for key in ("unique_id", "default_entity_id")
    ]
    assert len(set(ids)) == len(ids) == 4 * len(COMPONENTS)


def test_what_is_only_true_now_expires():
    expiring = {key for key, each in COMPONENTS.items() if "expire_after" in each}
    assert expiring == {"speed", "too_fast"}


def test_an_alert_that_is_over_is_another_event_than_one_that_begins():
    types = COMPONENTS["alert"]["event_types"]
    assert {"too_fast", "too_fast_cleared", "sensor_lost", "battery_low_cleared"} <= set(types)
    assert len(set(types)) == 12


def test_units_are_those_home_assistant_knows():
    assert COMPONENTS["speed"]["unit_of_measurement"] == "mm/s"
    assert COMPONENTS["limit"]["unit_of_measurement"] == "mm/s"


def test_commands_carry_an_id_and_a_time_and_go_where_the_service_listens():
    for key, name in (("limit", "set-limit"), ("start", "start"), ("stop", "stop")):
        component = COMPONENTS[key]
        assert component["command_topic"] == f"{OWN}/cmd/{name}"
        template = component["command_template"]
        filled = re.sub(r"\{\{.*?\}\}", "1", template)
        assert set(json.loads(filled)) >= {"id", "ts"}
        assert "random" in template
    assert "retain" not in json.dumps(PAYLOAD)


def test_the_range_of_the_limit_is_what_the_service_takes():
    lowest, highest = COMPONENTS["limit"]["min"], COMPONENTS["limit"]["max"]
    for limit, taken in ((lowest, 1), (lowest - 1, 0), (highest, 1), (highest + 1, 0)):
        body = json.dumps({"ts": 1, "id": "x", "limit_mm_s": limit}).encode()
        with contextlib.nullcontext() if taken else pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(body, type=wire.Command)


def test_optional_values_have_a_default_in_every_template():
    for component in COMPONENTS.values():
        template = component.get("value_template", "")
        for name in re.findall(r"value_json\.(speed_mm_s|battery_pct|limit_mm_s|reason)", template):
            assert re.search(rf"value_json\.{name} \| default", template), template


def test_states_and_alerts_as_we_send_them_are_read():
    """The keys in the templates are keys of our payloads."""
    known = {
        "state": wire.StatePayload,
        "alert": wire.AlertPayload,
        "last-session": wire.SessionPayload,
        "+": wire.CommandResult,
    }
    for component in COMPONENTS.values():
        if "state_topic" in component:
            payload = known[component["state_topic"].rsplit("/", 1)[-1]]
            used = re.findall(r"value_json\.(\w+)", component["value_template"])
            assert used
            assert set(used) <= set(payload.__struct_fields__)
