"""Are a broker's messages what the documents say?"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import msgspec

from rolltrack.cli.mqtt_listening import overhearing
from rolltrack.wire.catalogue import find_kind
from rolltrack.wire.topics import shard

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolltrack.mqtt import Incoming, Peer
    from rolltrack.wire.catalogue import Kind

DISCOVERY = "homeassistant/device/+/config"
_OURS = re.compile(r"homeassistant/device/rolltrack_[a-z0-9][a-z0-9-]{0,31}/config")


class Violation(msgspec.Struct, frozen=True):
    """One message that is not as documented."""

    topic: str
    what: str


class Report(msgspec.Struct, frozen=True):
    """What was heard."""

    messages: int
    violations: tuple[Violation, ...]


async def check_broker(
    peer: Peer,
    site: str | None,
    seconds: float,
    *,
    when_listening: Callable[[], None] = lambda: None,
) -> Report:
    """Listen for so long, from the moment the broker lets us.

    Raises:
        BrokerError: the broker cannot be used.
    """
    heard: list[Incoming] = []
    filters = [f"rolltrack/v1/{site}/#" if site else "rolltrack/#", DISCOVERY]
    async with overhearing(peer, filters, heard.append):
        when_listening()
        await asyncio.sleep(seconds)
    ours = [m for m in heard if m.topic.startswith("rolltrack/") or _OURS.fullmatch(m.topic)]
    found = [(message.topic, violation_of(message)) for message in ours]
    return Report(len(ours), tuple(Violation(topic, what) for topic, what in found if what))


def violation_of(message: Incoming) -> str:
    """What is wrong with a message; empty when nothing is."""
    if not message.body:
        return ""  # that is how a retained message is cleared
    if message.topic.startswith("homeassistant/"):
        return _no_announcement(message.body)
    found = find_kind(message.topic)
    if found is None:
        return "there is no such topic."
    kind, parameters = found
    if message.retain and not kind.retain:
        return "it is retained and should not be."
    if message.qos < kind.qos:  # some brokers deliver more than was asked for, which is no fault
        return f"it has QoS {message.qos} instead of {kind.qos}."
    return _bad_content(kind, parameters, message.body)


def _bad_content(kind: Kind, parameters: dict[str, str], body: bytes) -> str:
    if kind.payload is None:
        if body in {word.encode() for word in kind.words}:
            return ""
        return f"{body[:40]!r} is none of: {', '.join(kind.words)}."
    try:
        content = msgspec.json.decode(body, type=kind.payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return f"{error}."
    for name in ("athlete", "session_id"):
        said = getattr(content, name, None)
        if said is not None and name in parameters and said != parameters[name]:
            return f'its {name} "{said}" is not that of the topic.'
    if "shard" in parameters and int(parameters["shard"]) != shard(parameters["roller"]):
        return f"the shard of this roller is {shard(parameters['roller'])}."
    return ""


def _no_announcement(body: bytes) -> str:
    """What Home Assistant needs at the least."""
    try:
        content = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return f"{error}."
    needed = (("dev", "device"), ("o", "origin"), ("cmps", "components"))
    missing = [long for short, long in needed if not {short, long} & content.keys()]
    return f"the announcement lacks {', '.join(missing)}." if missing else ""
