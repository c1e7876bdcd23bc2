"""The MQTT topic tree, version 1, and the messages that travel on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rolltrack.config import ID_PATTERN, RESERVED_ROLLER_IDS
from rolltrack.errors import UsageError
from rolltrack.wire.payloads import VERSION

RollerLeaf: TypeAlias = Literal["availability", "state", "live", "stroke", "alert"]


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message.

    Attributes:
        keep: never dropped to make room, however many wait for the broker.
    """

    topic: str
    body: bytes
    qos: int = 1
    retain: bool = False
    keep: bool = False


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

    def of_roller(self, athlete: str, roller: str, leaf: RollerLeaf) -> str:
        """A topic about one roller, for example its "live" one."""
        check_id(roller, "roller", reserved=RESERVED_ROLLER_IDS)
        return f"{self._of_athlete(athlete)}/{roller}/{leaf}"

    def session(self, athlete: str, session_id: str) -> str:
        """`SessionPayload`."""
        return f"{self._of_athlete(athlete)}/session/{session_id}"

    def last_session(self, athlete: str) -> str:
        """The newest `SessionPayload`, retained."""
        return f"{self._of_athlete(athlete)}/last-session"

    def _of_athlete(self, athlete: str) -> str:
        return f"{self.prefix}/a/{check_id(athlete, 'athlete')}"


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
