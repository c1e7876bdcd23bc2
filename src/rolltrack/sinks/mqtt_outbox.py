"""What still has to reach the broker, in order."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from rolltrack.wire import Message

ROOM = 10_000


class Outbox:
    """A queue in memory that forgets the least when the broker stays away.

    A retained message replaces the one that waits for the same topic. Messages marked `keep`
    (session summaries) are never dropped; of the others the oldest go when there is no room.
    """

    def __init__(self, room: int = ROOM) -> None:
        self.dropped = 0
        self._room = room
        self._waiting: OrderedDict[Hashable, Message] = OrderedDict()
        self._droppable = 0
        self._retained: dict[str, Message] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def kept(self) -> int:
        """How many of the waiting messages may not be lost."""
        return sum(message.keep for message in self._waiting.values())

    def put(self, message: Message) -> None:
        """Queue behind everything that waits."""
        if message.retain:
            self._retained[message.topic] = message
            self._waiting[message.topic] = message
            self._waiting.move_to_end(message.topic)
            return
        self._waiting[next(self._numbers)] = message
        if not message.keep:
            self._droppable += 1
        if self._droppable > self._room:
            self._drop_oldest()

    def take(self) -> Message | None:
        """Take out the oldest, None when there is nothing."""
        if not self._waiting:
            return None
        _, message = self._waiting.popitem(last=False)
        if not (message.retain or message.keep):
            self._droppable -= 1
        return message

    def restate(self, unacknowledged: Iterable[Message]) -> None:
        """Start over with a new connection.

        First everything retained, since the broker may have forgotten it, then what was sent and
        not acknowledged, then what waits.
        """
        again = [message for message in unacknowledged if not message.retain]
        behind = [message for message in self._waiting.values() if not message.retain]
        self._waiting.clear()
        self._droppable = 0
        for message in [*self._retained.values(), *again, *behind]:
            self.put(message)

    def _drop_oldest(self) -> None:
        key = next(k for k, m in self._waiting.items() if not (m.retain or m.keep))
        del self._waiting[key]
        self._droppable -= 1
        self.dropped += 1
