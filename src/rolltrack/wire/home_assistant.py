"""How Home Assistant learns of a roller: one MQTT device discovery message.

Every component says everything itself (availability, QoS), since Home Assistant ignores some of it
where it stands once for the whole device. Sources: its documentation of MQTT discovery, and what
core 2025.4 does with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from rolltrack.core.events import AlertKind
from rolltrack.wire.topics import Message, check_id

if TYPE_CHECKING:
    from rolltrack.wire.topics import CommandName, RollerLeaf, Topics

STALE_S = 60
"""A speed that nobody has repeated for so long is not shown any more."""
LIMIT_MM_S = (10, 500)

_UNKNOWN = "| default(none)"
_STAMP = '"ts": {{ (now().timestamp() * 1000) | int }}'
# Microseconds and a random number: no command of any button ever has the id of another.
_ID = '"id": "ha-{{ (now().timestamp() * 1000000) | int }}-{{ range(10000, 99999) | random }}"'


@dataclass(frozen=True, slots=True)
class Announced:
    """A roller as Home Assistant shows it.

    Attributes:
        roller: its public id.
        athlete: whose it is.
        sensor: what the sensor calls itself; may be empty.
        version: of this program.
    """

    roller: str
    athlete: str
    sensor: str
    version: str


def discovery_topic(prefix: str, roller: str) -> str:
    """Where the announcement of a roller is retained."""
    return f"{prefix}/device/rolltrack_{check_id(roller, 'roller')}/config"


def birth_topic(prefix: str) -> str:
    """Where Home Assistant says `online` when it has started."""
    return f"{prefix}/status"


def announcement(announced: Announced, topics: Topics, prefix: str) -> Message:
    """The message that makes Home Assistant show a roller."""
    topic = discovery_topic(prefix, announced.roller)
    payload = discovery_payload(announced, topics)
    return Message(topic, msgspec.json.encode(payload), retain=True)


def removal(roller: str, prefix: str) -> Message:
    """The message that makes Home Assistant forget a roller."""
    return Message(discovery_topic(prefix, roller), b"", retain=True)


def discovery_payload(announced: Announced, topics: Topics) -> dict[str, Any]:
    """The announcement as plain values."""
    build = _Builder(announced, topics)
    components = [
        *_readings(build),
        *_events(build),
        *_controls(build),
    ]
    device = {
        "identifiers": [f"rolltrack_{announced.roller}"],
        "name": build.device,
        "manufacturer": "rolltrack",
        "model": announced.sensor or "foam roller",
        "sw_version": announced.version,
    }
    return {
        "device": device,
        "origin": {"name": "rolltrack", "sw_version": announced.version},
        "components": dict(components),
    }


Component = tuple[str, dict[str, Any]]


class _Builder:
    """What all components of one roller have in common."""

    def __init__(self, announced: Announced, topics: Topics) -> None:
        self.device = f"Rolltrack {announced.roller}"
        self._announced = announced
        self._topics = topics

    def topic(self, leaf: RollerLeaf) -> str:
        return self._topics.of_roller(self._announced.athlete, self._announced.roller, leaf)

    def command_topic(self, name: CommandName) -> str:
        return self._topics.command(self._announced.athlete, self._announced.roller, name)

    @property
    def any_result(self) -> str:
        topic = self._topics.command_result(self._announced.athlete, self._announced.roller, "stop")
        return topic.removesuffix("stop") + "+"

    @property
    def last_session(self) -> str:
        return self._topics.last_session(self._announced.athlete)

    def component(
        self, platform: str, key: str, name: str, *, bridge_only: bool = False, **more: Any
    ) -> Component:
        # As Home Assistant before 2026, which ignores `default_entity_id`, makes it of the names.
        slug = re.sub(r"[^a-z0-9]+", "_", f"{self.device} {name}".lower())
        sources = [self._topics.bridge_status]
        if not bridge_only:
            sources.append(self.topic("availability"))
        return key, {
            "platform": platform,
            "unique_id": f"rolltrack_{self._announced.roller}_{key}",
            "default_entity_id": f"{platform}.{slug}",
            "name": name,
            "qos": 1,
            "availability": [
                {"topic": topic, "payload_available": "online", "payload_not_available": "offline"}
                for topic in sources
            ],
            "availability_mode": "all",
            **more,
        }


def _readings(build: _Builder) -> list[Component]:
    state = build.topic("state")
    return [
        build.component(
            "sensor",
            "speed",
            "Speed",
            state_topic=state,
            value_template=f"{{{{ value_json.speed_mm_s {_UNKNOWN} }}}}",
            device_class="speed",
            unit_of_measurement="mm/s",
            state_class="measurement",
            suggested_display_precision=0,
            expire_after=STALE_S,
        ),
        build.component(
            "binary_sensor",
            "too_fast",
            "Too fast",
            state_topic=state,
            value_template="{{ 'ON' if value_json.too_fast | default(false) else 'OFF' }}",
            device_class="problem",
            expire_after=STALE_S,
        ),
        build.component(
            "sensor",
            "strokes",
            "Strokes",
            state_topic=state,
            value_template="{{ value_json.strokes | default(0) }}",
            state_class="total_increasing",
            icon="mdi:counter",
        ),
        build.component(
            "sensor",
            "battery",
            "Battery",
            state_topic=state,
            value_template=f"{{{{ value_json.battery_pct {_UNKNOWN} }}}}",
            device_class="battery",
            unit_of_measurement="%",
            state_class="measurement",
            entity_category="diagnostic",
        ),
        # It stays known while the roller is switched off.
        build.component(
            "sensor",
            "last_session",
            "Last session",
            bridge_only=True,
            state_topic=build.last_session,
            value_template="{{ value_json.ended_at }}",
            json_attributes_topic=build.last_session,
            device_class="timestamp",
        ),
    ]


def _events(build: _Builder) -> list[Component]:
    kinds = get_args(AlertKind)
    return [
        build.component(
            "event",
            "alert",
            "Alert",
            state_topic=build.topic("alert"),
            event_types=[*kinds, *(f"{kind}_cleared" for kind in kinds)],
            value_template=(
                "{{ {'event_type': value_json.kind"
                " ~ ('_cleared' if value_json.phase == 'cleared' else ''),"
                " 'value': value_json.value | default(none),"
                " 'limit': value_json.limit | default(none),"
                " 'unit': value_json.unit | default('')} | to_json }}"
            ),
            icon="mdi:alert",
        ),
        build.component(
            "event",
            "command_result",
            "Command result",
            state_topic=build.any_result,
            event_types=["accepted", "done", "refused"],
            value_template=(
                "{{ {'event_type': 'refused' if not value_json.ok else"
                " 'done' if value_json.final | default(true) else 'accepted',"
                " 'reason': value_json.reason | default('')} | to_json }}"
            ),
            entity_category="diagnostic",
            icon="mdi:message-reply-text",
        ),
    ]


def _controls(build: _Builder) -> list[Component]:
    order = f"{{{_ID}, {_STAMP}}}"
    lowest, highest = LIMIT_MM_S
    return [
        build.component(
            "number",
            "limit",
            "Limit",
            state_topic=build.topic("state"),
            value_template=f"{{{{ value_json.limit_mm_s {_UNKNOWN} }}}}",
            command_topic=build.command_topic("set-limit"),
            command_template=f'{{{_ID}, {_STAMP}, "limit_mm_s": {{{{ value }}}}}}',
            min=lowest,
            max=highest,
            step=1,
            mode="box",
            device_class="speed",
            unit_of_measurement="mm/s",
            entity_category="config",
        ),
        *(
            build.component(
                "button",
                name,
                label,
                command_topic=build.command_topic(name),
                command_template=order,
                **more,
            )
            for name, label, more in _BUTTONS
        ),
    ]


_BUTTONS: tuple[tuple[CommandName, str, dict[str, Any]], ...] = (
    ("start", "Start session", {"icon": "mdi:play"}),
    ("stop", "Stop session", {"icon": "mdi:stop"}),
    ("calibrate", "Calibrate", {"icon": "mdi:ruler", "entity_category": "config"}),
)
