"""Commands over MQTT -> orders for the service, and answers back (docs/mqtt.md)."""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import msgspec

from rolltrack import wire
from rolltrack.core.coaching.protocol import LEAST_LIMIT_MPS, MOST_LIMIT_MPS
from rolltrack.errors import InputError, UsageError
from rolltrack.sources.orders import Answer, Order, OrderName
from rolltrack.wire import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolltrack.mqtt import Incoming, MqttLink
    from rolltrack.sources.orders import Reply

_log = logging.getLogger(__name__)

FRESH_S = 30.0
"""A command is for now; older ones, which waited somewhere, would surprise people."""
REMEMBERED = 1000
"""So many commands are known again when they come twice."""
DISTANCE_MM = 1000.0
_LATEST_MS = 2**53
"""Beyond it milliseconds are no longer whole numbers everywhere."""
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_EXPECTED = {
    "id": "a text of 1 to 64 characters, new for every command",
    "ts": "when it was sent, in Unix milliseconds",
    "limit_mm_s": f"a number from {1000 * LEAST_LIMIT_MPS:g} to {1000 * MOST_LIMIT_MPS:g}",
    "distance_mm": "a number from 200 to 10000",
}


@dataclass(slots=True)
class _Asked:
    """A command, and what was answered so far.

    Attributes:
        elsewhere: response topic and correlation data of its sender, if any.
    """

    athlete: str
    roller: str
    name: OrderName
    elsewhere: tuple[str, bytes | None] | None
    id: str = ""
    answer: Answer | None = None


class MqttOrders:
    """Listens for the commands of a site, and answers every one it can make out.

    Args:
        link: the service's connection.
        site: the id of this installation.
        closed: topic prefixes where no answer goes, wherever a sender wants it.
        now_s: Unix time.
    """

    def __init__(
        self,
        link: MqttLink,
        site: str,
        *,
        closed: tuple[str, ...] = (),
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._link = link
        self._topics = wire.Topics(site)
        self._closed = ("$", "rolltrack/", *closed)
        self._now_s = now_s
        self._known: OrderedDict[tuple[str, str], _Asked] = OrderedDict()
        self._take: Callable[[Order, Reply], None] = lambda *_: None

    def listen(self, take: Callable[[Order, Reply], None]) -> None:
        """Hand every order to `take`; those that cannot be carried out are answered here."""
        self._take = take
        self._link.listen(self._topics.any_command, self._heard)

    def _heard(self, incoming: Incoming) -> None:
        asked = self._address(incoming)
        if asked is None:
            _log.warning("ignoring %r: no such command.", incoming.topic)
            return
        asked.id = _id_in(incoming.body)
        before = self._known.get((incoming.topic, asked.id)) if asked.id else None
        if before is not None:
            before.elsewhere = asked.elsewhere
            if before.answer is not None:
                self._send(before)
            return
        try:
            order = self._read(asked, incoming)
        except InputError as fault:
            self._answer(asked, Answer(ok=False, text=str(fault)))
            return
        self._known[incoming.topic, asked.id] = asked
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        self._take(order, lambda answer: self._answer(asked, answer))

    def _address(self, incoming: Incoming) -> _Asked | None:
        """Who is meant; None when the answer would have no valid topic."""
        athlete, roller, _, name = incoming.topic.split("/")[-4:]
        known: tuple[OrderName, ...] = get_args(OrderName)
        command = next((each for each in known if each == name), None)
        if command is None:
            return None
        try:
            own = self._topics.command_result(athlete, roller, command)
        except UsageError:
            return None
        there = incoming.response_topic
        allowed = there and (there.startswith(f"{own}/") or not there.startswith(self._closed))
        elsewhere = (there, incoming.correlation) if there and allowed else None
        return _Asked(athlete, roller, command, elsewhere)

    def _read(self, asked: _Asked, incoming: Incoming) -> Order:
        """Turn it into an order.

        Raises:
            InputError: it is malformed, too old, or retained.
        """
        if incoming.retain:
            raise InputError(
                "A retained command would act again at every restart; it is not carried out.",
                hint="Clear it with an empty retained message, and send commands without retain.",
            )
        command = _decoded(incoming.body)
        age_s = self._now_s() - command.ts / 1000
        if abs(age_s) > FRESH_S:
            when = f"{age_s:.0f} s ago" if age_s > 0 else f"{-age_s:.0f} s in the future"
            raise InputError(
                f"It was sent {when} by its ts; only {FRESH_S:.0f} s are allowed.",
                hint="Send a new one; if it was just sent, set the sender's clock.",
            )
        match asked.name:
            case "set-limit":
                if command.limit_mm_s is None:
                    raise _unlike("limit_mm_s")
                limit_mps = command.limit_mm_s / 1000
                return Order(asked.athlete, asked.roller, asked.name, limit_mps=limit_mps)
            case "calibrate":
                distance_m = (command.distance_mm or DISTANCE_MM) / 1000
                return Order(asked.athlete, asked.roller, asked.name, distance_m=distance_m)
            case _:
                return Order(asked.athlete, asked.roller, asked.name)

    def _answer(self, asked: _Asked, answer: Answer) -> None:
        asked.answer = answer
        self._send(asked)

    def _send(self, asked: _Asked) -> None:
        answer = asked.answer
        if answer is None:
            return
        result = wire.CommandResult(
            ts=wire.unix_ms(self._now_s()),
            id=asked.id,
            ok=answer.ok,
            final=answer.final,
            reason=answer.text,
            limit_mm_s=wire.mm_or_none(answer.limit_mps),
            radius_mm=wire.mm_or_none(answer.radius_m),
        )
        own = self._topics.command_result(asked.athlete, asked.roller, asked.name)
        places: list[tuple[str, bytes | None]] = [(own, None)]
        if asked.elsewhere is not None:
            places.append(asked.elsewhere)
        for topic, correlation in places:
            message = catalogue.COMMAND_RESULT.message(topic, result)
            self._link.send(replace(message, correlation=correlation))


def _id_in(body: bytes) -> str:
    """The id of a command, as far as there is one."""
    try:
        return msgspec.json.decode(body, type=_Identified).id[:64]
    except _UNREADABLE:
        return ""


class _Identified(msgspec.Struct):
    id: str = ""


def _decoded(body: bytes) -> wire.Command:
    try:
        command = msgspec.json.decode(body, type=wire.Command)
    except msgspec.ValidationError as error:
        key = re.search(r"at `\$\.(\w+)`|missing required field `(\w+)`", str(error))
        name = key and (key[1] or key[2])
        if name in _EXPECTED:
            raise _unlike(name) from error
        raise InputError(f"Not a command: {error}.", hint="See docs/mqtt.md.") from error
    except _UNREADABLE as error:
        raise InputError(
            "The payload is not JSON.", hint='Send for example {"id":"1","ts":1763900000123}.'
        ) from error
    if not 0 <= command.ts <= _LATEST_MS:
        raise _unlike("ts")
    if command.v != 1:
        raise InputError(f"Version {command.v} of commands is not known.", hint="Use version 1.")
    return command


def _unlike(key: str) -> InputError:
    return InputError(f'"{key}" must be {_EXPECTED[key]}.', hint="Correct it and send it again.")
