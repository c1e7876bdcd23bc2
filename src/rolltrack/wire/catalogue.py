"""Every kind of message under `rolltrack/v1/{site}`: one row says all that MQTT must know of it.

Publishers take QoS, retain and expiry from here, and so do the documents in docs/mqtt and the
checks of `rolltrack mqtt check`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from rolltrack.wire.payloads import (
    VERSION,
    AlertPayload,
    BridgeInfo,
    Command,
    CommandResult,
    ImuBatch,
    LivePayload,
    Receipt,
    SessionPayload,
    StatePayload,
    StrokePayload,
)
from rolltrack.wire.topics import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

Publisher: TypeAlias = Literal["service", "archive", "client", "sensor"]

PREFIX = f"rolltrack/v{VERSION}/{{site}}"

PARAMETERS: Mapping[str, str] = {
    "site": "the installation",
    "athlete": "pseudonymous id of a person",
    "roller": "a roller's public id",
    "session_id": "UUIDv7 of a session",
    "command": "start, stop, calibrate or set-limit",
    "shard": "CRC-32 of the roller's id modulo 64",
}

_ID = r"[a-z0-9][a-z0-9-]{0,31}"
_SHAPES: Mapping[str, str] = {
    "site": _ID,
    "athlete": _ID,
    "roller": r"(?!(?:session|receipt|last-session)/)" + _ID,
    "session_id": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "command": r"start|stop|calibrate|set-limit",
    "shard": r"[0-9]|[1-5][0-9]|6[0-3]",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message.

    Attributes:
        name: for people, and in the name of its schema.
        address: its topic below the site's prefix, with parameters in braces.
        summary: what it tells.
        payload: the JSON document it carries; None for plain words.
        words: the plain words it may carry.
        qos: quality of service.
        retain: whether the broker keeps the last one for those who come later.
        expiry_s: after so long nobody needs it any more (MQTT 5); None for never.
        publisher: who says it.
    """

    name: str
    address: str
    summary: str
    payload: type[msgspec.Struct] | None = None
    words: tuple[str, ...] = ()
    qos: int = 1
    retain: bool = False
    expiry_s: int | None = None
    publisher: Publisher = "service"

    @property
    def schema(self) -> str:
        """Name and version of the payload's schema, as MQTT 5 tells it; empty for plain words."""
        return f"{self.name}/{VERSION}" if self.payload else ""

    @property
    def topic(self) -> str:
        """The whole address."""
        return f"{PREFIX}/{self.address}"

    def message(
        self, topic: str, content: msgspec.Struct | bytes, *, keep: bool = False
    ) -> Message:
        """A message of this kind.

        Args:
            topic: where to.
            content: the document, or the bytes of it or of a plain word.
            keep: see `Message`.
        """
        body = content if isinstance(content, bytes) else msgspec.json.encode(content)
        return Message(
            topic,
            body,
            qos=self.qos,
            retain=self.retain,
            keep=keep,
            schema=self.schema,
            expiry_s=self.expiry_s,
        )


BRIDGE_STATUS = Kind(
    "bridge-status",
    "bridge/status",
    "Whether the service is there; `offline` is also its last will.",
    words=("online", "offline"),
    retain=True,
)
BRIDGE_INFO = Kind(
    "bridge-info",
    "bridge/info",
    "What runs here, since when, with which rollers, and how it fares.",
    BridgeInfo,
    retain=True,
)
AVAILABILITY = Kind(
    "availability",
    "a/{athlete}/{roller}/availability",
    "Whether the roller's link is up.",
    words=("online", "offline"),
    retain=True,
)
STATE = Kind(
    "state",
    "a/{athlete}/{roller}/state",
    "Snapshot of a roller, on change, at most once a second.",
    StatePayload,
    retain=True,
)
LIVE = Kind(
    "live",
    "a/{athlete}/{roller}/live",
    "The speed a moment ago, up to ten times a second.",
    LivePayload,
    qos=0,
    expiry_s=5,
)
STROKE = Kind(
    "stroke",
    "a/{athlete}/{roller}/stroke",
    "One finished stroke.",
    StrokePayload,
    expiry_s=300,
)
ALERT = Kind(
    "alert",
    "a/{athlete}/{roller}/alert",
    "Something to know now; raised once and cleared once.",
    AlertPayload,
    expiry_s=60,
)
SESSION = Kind(
    "session",
    "a/{athlete}/session/{session_id}",
    "Summary of a finished session; comes again until it has arrived.",
    SessionPayload,
)
LAST_SESSION = Kind(
    "last-session",
    "a/{athlete}/last-session",
    "The athlete's session that began last.",
    SessionPayload,
    retain=True,
)
RECEIPT = Kind(
    "receipt",
    "a/{athlete}/receipt/{session_id}",
    "An archive has stored the session.",
    Receipt,
    publisher="archive",
)
COMMAND = Kind(
    "cmd",
    "a/{athlete}/{roller}/cmd/{command}",
    "Something to do now.",
    Command,
    expiry_s=30,
    publisher="client",
)
COMMAND_RESULT = Kind(
    "cmd-result",
    "a/{athlete}/{roller}/cmd-result/{command}",
    "What became of a command, under the command's id.",
    CommandResult,
    expiry_s=60,
)
IMU = Kind(
    "imu",
    "imu/{shard}/{roller}",
    "Raw readings of a phone or a remote sensor.",
    ImuBatch,
    publisher="sensor",
)

KINDS = (
    BRIDGE_STATUS,
    BRIDGE_INFO,
    AVAILABILITY,
    STATE,
    LIVE,
    STROKE,
    ALERT,
    SESSION,
    LAST_SESSION,
    RECEIPT,
    COMMAND,
    COMMAND_RESULT,
    IMU,
)


def parameters_of(address: str) -> list[str]:
    """The names in braces, in order."""
    return re.findall(r"{(\w+)}", address)


def find_kind(topic: str) -> tuple[Kind, dict[str, str]] | None:
    """The kind of a topic and the values of its parameters; None when there is no such topic."""
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(topic)
        if match:
            return kind, match.groupdict()
    return None


def _pattern(kind: Kind) -> re.Pattern[str]:
    parts = re.split(r"{(\w+)}", kind.topic)
    named = [
        re.escape(part) if i % 2 == 0 else f"(?P<{part}>{_SHAPES[part]})"
        for i, part in enumerate(parts)
    ]
    return re.compile("".join(named))


_PATTERNS = tuple((kind, _pattern(kind)) for kind in KINDS)
