"""The MQTT topic tree, version 1, and the messages that travel on it."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rolltrack.config import ID_PATTERN, RESERVED_ROLLER_IDS
from rolltrack.errors import UsageError
from rolltrack.wire.payloads import VERSION

RollerLeaf: TypeAlias = Literal["availability", "state", "live", "stroke", "alert"]
CommandName: TypeAlias = Literal["start", "stop", "calibrate", "set-limit"]

SHARDS = 64
"""Into so many parts raw readings are divided, so that several workers can share them."""


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message.

    Attributes:
        keep: never dropped to make room, however many wait for the broker.
        schema: name and version of the payload's schema, for example "live/1"; empty for plain
            text. MQTT 5 only.
        expiry_s: after so long nobody needs it any more. MQTT 5 only.
        response_topic: where an answer is wanted. MQTT 5 only.
        correlation: what the answer has to repeat. MQTT 5 only.
    """

    topic: str
    body: bytes
    qos: int = 1
    retain: bool = False
    keep: bool = False
    schema: str = ""
    expiry_s: int | None = None
    response_topic: str | None = None
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Topics:
    """The topic tree of one site.

    Raises:
        UsageError: the site, an athlete or a roller is not a valid id.
    """

    site: str

    def __post_init__(self) -> None:
        check_id(self.site, "site")

    @property
    def prefix(self) -> str:
        """What every topic of the site starts with."""
        return f"rolltrack/v{VERSION}/{self.site}"

    @property
    def bridge_status(self) -> str:
        """`online` or `offline`, retained; also the last will."""
        return f"{self.prefix}/bridge/status"

    @property
    def bridge_info(self) -> str:
        """`BridgeInfo`, retained."""
        return f"{self.prefix}/bridge/info"

    @property
    def any_availability(self) -> str:
        """The filter for the availability of every roller."""
        return f"{self.prefix}/a/+/+/availability"

    @property
    def any_session(self) -> str:
        """The filter for the sessions of every athlete."""
        return f"{self.prefix}/a/+/session/+"

    @property
    def any_receipt(self) -> str:
        """The filter for what archives say they have stored."""
        return f"{self.prefix}/a/+/receipt/+"

    @property
    def any_command(self) -> str:
        """The filter for commands to any roller."""
        return f"{self.prefix}/a/+/+/cmd/+"

    @property
    def any_imu(self) -> str:
        """The filter for raw readings of phones and remote sensors."""
        return f"{self.prefix}/imu/+/+"

    def all_of_roller(self, roller: str) -> str:
        """The filter for everything about one roller, whoever uses it."""
        check_id(roller, "roller", reserved=RESERVED_ROLLER_IDS)
        return f"{self.prefix}/a/+/{roller}/#"

    def of_roller(self, athlete: str, roller: str, leaf: RollerLeaf) -> str:
        """A topic about one roller, for example its "live" one."""
        return f"{self._roller(athlete, roller)}/{leaf}"

    def session(self, athlete: str, session_id: str) -> str:
        """`SessionPayload`."""
        return f"{self._of_athlete(athlete)}/session/{session_id}"

    def receipt(self, athlete: str, session_id: str) -> str:
        """`Receipt`: an archive has stored the session."""
        return f"{self._of_athlete(athlete)}/receipt/{session_id}"

    def command(self, athlete: str, roller: str, name: CommandName) -> str:
        """`Command`."""
        return f"{self._roller(athlete, roller)}/cmd/{name}"

    def command_result(self, athlete: str, roller: str, name: CommandName) -> str:
        """`CommandResult`."""
        return f"{self._roller(athlete, roller)}/cmd-result/{name}"

    def imu(self, roller: str) -> str:
        """`ImuBatch`: raw readings of a phone or a remote sensor."""
        check_id(roller, "roller", reserved=RESERVED_ROLLER_IDS)
        return f"{self.prefix}/imu/{shard(roller)}/{roller}"

    def last_session(self, athlete: str) -> str:
        """The newest `SessionPayload`, retained."""
        return f"{self._of_athlete(athlete)}/last-session"

    def _roller(self, athlete: str, roller: str) -> str:
        check_id(roller, "roller", reserved=RESERVED_ROLLER_IDS)
        return f"{self._of_athlete(athlete)}/{roller}"

    def _of_athlete(self, athlete: str) -> str:
        return f"{self.prefix}/a/{check_id(athlete, 'athlete')}"


def shard(roller: str) -> int:
    """Which part of the raw readings a roller belongs to, 0 to 63: its CRC-32, modulo."""
    return zlib.crc32(roller.encode()) % SHARDS


def check_id(value: str, what: str, *, reserved: frozenset[str] = frozenset()) -> str:
    """Return the id, or raise UsageError, naming `what`, when it cannot be part of a topic."""
    if value in reserved:
        raise UsageError(f'{what} id "{value}" is reserved.', hint="Choose another one.")
    if not re.fullmatch(ID_PATTERN, value):
        raise UsageError(
            f'"{value}" is not a valid {what} id.',
            hint="Use 1 to 32 of a-z, 0-9 and -, and start with a letter or digit.",
        )
    return value
