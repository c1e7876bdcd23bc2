"""What comes in on a session topic -> a session to keep, or the reason why it is none."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from rolltrack.config import ID_PATTERN
from rolltrack.errors import InputError
from rolltrack.wire import SessionPayload, summary_of
from rolltrack.wire.payloads import VERSION

if TYPE_CHECKING:
    from rolltrack.core.events import SessionSummary

LARGEST_BYTES = 16_384
"""A summary has about 700."""
LONGEST_TEXT = 200
LARGEST_COUNT = 2**31 - 1
"""What a column for whole numbers holds."""
LARGEST_QUANTITY = 1e9
"""Thirty years in seconds; a million kilometres in metres."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A session summary that may be stored.

    Attributes:
        text: the payload as it came, with keys that this version does not know.
    """

    payload: SessionPayload
    summary: SessionSummary
    text: str


def read_arrival(topic: str, body: bytes) -> Arrival:
    """Read one message from the topic `rolltrack/v1/{site}/a/{athlete}/session/{session_id}`.

    Raises:
        InputError: it is not what the topic promises; says why, in words without its content.
    """
    if len(body) > LARGEST_BYTES:
        raise InputError(f"has {len(body)} bytes, at most {LARGEST_BYTES} are taken")
    try:
        msgspec.json.decode(body)  # all of it: a typed reading skips what it does not know
        text = body.decode()
        payload = msgspec.json.decode(body, type=SessionPayload)
    except msgspec.ValidationError as error:
        raise InputError(f"is not a session summary: {_where(error)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("is not JSON") from error
    if payload.v != VERSION:
        raise InputError(f"is of version {payload.v}, this rolltrack reads {VERSION}")
    _check_identity(topic, payload)
    _check_bounds(payload)
    return Arrival(payload, summary_of(payload), text)


def _where(error: msgspec.ValidationError) -> str:
    """The key at fault; the message itself may quote what the sender wrote."""
    said, _, key = str(error).partition(" - at `$.")
    missing = re.fullmatch(r"Object missing required field `(\w+)`", said)
    if missing:
        return f"{missing[1]} is missing"
    return f"{key.rstrip('`')} is wrong" if key else "it is no object"


def _check_identity(topic: str, payload: SessionPayload) -> None:
    """Rights are given by topic: who may write to one athlete's must not write for another."""
    *_, athlete, _, session_id = topic.split("/")
    if payload.athlete != athlete:
        raise InputError("speaks of another athlete than its topic")
    if payload.session_id != session_id:
        raise InputError("speaks of another session than its topic")
    for key, value in (("athlete", payload.athlete), ("roller", payload.roller)):
        if not re.fullmatch(ID_PATTERN, value):
            raise InputError(f"{key} is not an id")
    try:
        canonical = str(uuid.UUID(session_id)) == session_id
    except ValueError:
        canonical = False
    if not canonical:
        raise InputError("session_id is not a UUID")


def _check_bounds(payload: SessionPayload) -> None:
    """What no database column holds, and what would break the line it is printed on."""
    if payload.revision < 1:
        raise InputError("revision is less than 1")
    for key in payload.__struct_fields__:
        value = getattr(payload, key)
        if isinstance(value, str):
            if len(value) > LONGEST_TEXT or not value.isprintable():
                raise InputError(f"{key} is too long or not printable")
        elif key != "ts" and value is not None and abs(value) > _largest(value):
            raise InputError(f"{key} is too large")


def _largest(value: float) -> float:
    return LARGEST_COUNT if isinstance(value, int) else LARGEST_QUANTITY
