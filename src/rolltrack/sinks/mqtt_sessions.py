"""Sessions from the store's outbox -> the broker, again and again until they have arrived."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from rolltrack import wire
from rolltrack.errors import StoreError
from rolltrack.wire import catalogue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from rolltrack.core.events import SessionSummary
    from rolltrack.mqtt import Incoming, MqttLink

_log = logging.getLogger(__name__)

WINDOW = 100
"""So many sessions may be on their way; the rest waits in the store."""
AGAIN_MIN_S = 3.0
AGAIN_MAX_S = 300.0
STORE_RETRY_S = 5.0


class SessionOutbox(Protocol):
    """What is still to be delivered; calls block and raise `StoreError`."""

    def undelivered(self, after: int = 0, limit: int = 100) -> list[tuple[int, SessionSummary]]:
        """The next ones, numbered in the order in which they were stored."""
        ...

    def delivered(self, numbers: Collection[int]) -> None:
        """Forget these."""
        ...

    def last_of_each_athlete(self) -> list[SessionSummary]:
        """For the topic `last-session`."""
        ...

    def waiting(self) -> int:
        """How many there are."""
        ...


@dataclass(slots=True)
class _OnItsWay:
    message: wire.Message
    key: tuple[str, int]
    pause_s: float = AGAIN_MIN_S
    due_s: float = 0.0
    mid: int | None = None


class SessionSender:
    """Sends every session of the outbox, in order, until it has arrived.

    With receipts a session has arrived when an archive says that it is stored: the broker's own
    acknowledgement says neither that the broker will keep it nor that anybody listens. Without, the
    store of this machine is the archive, and the broker's acknowledgement is enough.

    Args:
        outbox: where the sessions wait.
        link: the connection; started by whoever owns it.
        topics: of the site.
        receipts: wait for an archive's receipt.
        keep: takes the retained messages of `last-session`.
    """

    def __init__(
        self,
        outbox: SessionOutbox,
        link: MqttLink,
        topics: wire.Topics,
        *,
        receipts: bool,
        keep: Callable[[wire.Message], None],
    ) -> None:
        self.waiting = 0
        self._outbox = outbox
        self._link = link
        self._topics = topics
        self._receipts = receipts
        self._keep = keep
        self._expected: set[str] = set()
        self._on_its_way: dict[int, _OnItsWay] = {}
        self._arrived: set[int] = set()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._complaint = ""
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin; what an earlier life left behind comes first."""
        if self._receipts:
            self._link.listen(self._topics.any_receipt, self._receipt)
        self._link.when_up(self._start_over)
        self._link.when_delivered(self._acknowledged)
        self._task = asyncio.create_task(self._run(), name="session-sender")

    def expect(self, session_id: str) -> None:
        """This session has ended and will be in the store soon."""
        self._expected.add(session_id)
        self._idle.clear()

    def stored(self, session_id: str) -> None:
        """This session is in the store now."""
        self._expected.discard(session_id)
        self._idle.clear()
        self._news.set()

    async def close(self, patience_s: float) -> None:
        """Give what is left a moment; the outbox keeps what does not make it."""
        if self._task is None:
            return
        if self._link.up or self._expected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._idle.wait()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._settle()
            left = await asyncio.to_thread(self._outbox.waiting)
        except StoreError as error:
            _log.error("%s", error)  # it says what to do
            return
        if left:
            _log.warning("%d sessions are not delivered yet; the next start goes on.", left)

    async def _run(self) -> None:
        await self._guarded(self._tell_last_sessions)
        while True:
            self._news.clear()
            if await self._guarded(self._settle) and await self._guarded(self._load):
                self._send()
                pause_s = self._until_due_s()
            else:
                pause_s = STORE_RETRY_S
            if not (self.waiting or self._arrived or self._expected or self._news.is_set()):
                self._idle.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._news.wait()

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> bool:
        """Whether the store let us; its complaint is told once."""
        try:
            await step()
        except StoreError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("%s Sessions are sent when it works again.", error)  # the same
            return False
        self._complaint = ""
        return True

    async def _tell_last_sessions(self) -> None:
        for summary in await asyncio.to_thread(self._outbox.last_of_each_athlete):
            self._tell_last(summary)

    def _tell_last(self, summary: SessionSummary) -> None:
        topic = self._topics.last_session(summary.athlete)
        self._keep(catalogue.LAST_SESSION.message(topic, wire.session_payload(summary)))

    async def _settle(self) -> None:
        """What has arrived leaves the outbox."""
        arrived = tuple(self._arrived)
        if arrived:
            await asyncio.to_thread(self._outbox.delivered, arrived)
            self._arrived.difference_update(arrived)

    async def _load(self) -> None:
        """Fill the window from the store."""
        room = WINDOW - len(self._on_its_way)
        # The store gives a number again once the row that had it is gone, so none is remembered.
        after = max([*self._on_its_way, *self._arrived], default=0)
        rows = await asyncio.to_thread(self._outbox.undelivered, after, max(room, 0))
        for number, summary in rows:
            topic = self._topics.session(summary.athlete, summary.session_id)
            message = catalogue.SESSION.message(topic, wire.session_payload(summary))
            key = (summary.session_id, summary.revision)
            self._on_its_way[number] = _OnItsWay(message, key)
        if rows:
            await self._tell_last_sessions()
        self.waiting = await asyncio.to_thread(self._outbox.waiting)

    def _send(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if not self._link.up:
            return
        # The same for all, so that what went out in order does so again.
        spread = random.uniform(0.8, 1.2)  # noqa: S311  # no secrecy in that
        for each in self._on_its_way.values():
            if each.due_s <= now_s:
                each.mid = self._link.send(each.message)
                each.due_s = now_s + each.pause_s * spread
                each.pause_s = min(2 * each.pause_s, AGAIN_MAX_S)

    def _until_due_s(self) -> float | None:
        if not (self._on_its_way and self._link.up):
            return None
        now_s = asyncio.get_running_loop().time()
        return max(0.0, min(each.due_s for each in self._on_its_way.values()) - now_s)

    def _start_over(self) -> None:
        """A new connection knows nothing of what the one before was sent."""
        for each in self._on_its_way.values():
            each.due_s, each.pause_s, each.mid = 0.0, AGAIN_MIN_S, None
        self._news.set()

    def _acknowledged(self, mid: int) -> None:
        if not self._receipts:
            self._arrive(lambda each: each.mid == mid)

    def _receipt(self, incoming: Incoming) -> None:
        """Only a receipt for just this revision counts; others are somebody else's."""
        try:
            receipt = msgspec.json.decode(incoming.body, type=wire.Receipt)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        key = (receipt.session_id, receipt.revision)
        named = incoming.topic.removeprefix(f"{self._topics.prefix}/a/")
        self._arrive(
            lambda each: each.key == key and named == _receipt_of(self._topics, each.message.topic)
        )

    def _arrive(self, fits: Callable[[_OnItsWay], bool]) -> None:
        for number, each in tuple(self._on_its_way.items()):
            if fits(each):
                del self._on_its_way[number]
                self._arrived.add(number)
                self._news.set()


def _receipt_of(topics: wire.Topics, session_topic: str) -> str:
    """The end of the receipt's topic for a session's topic."""
    return session_topic.removeprefix(f"{topics.prefix}/a/").replace("/session/", "/receipt/", 1)
