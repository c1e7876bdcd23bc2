"""Sessions from the store's outbox -> the broker, again and again until they have arrived."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from rolltrack import wire
from rolltrack.errors import StoreError
from rolltrack.sinks.mqtt_unanswered import Key, Pace, Unanswered
from rolltrack.wire import catalogue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from rolltrack.core.events import SessionSummary
    from rolltrack.mqtt import Incoming, MqttLink

_log = logging.getLogger(__name__)

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
    key: Key
    rounds: int = 0
    mid: int | None = None


class SessionSender:
    """Sends every session of the outbox, in order, until it has arrived.

    With receipts a session has arrived when an archive says that it is stored: the broker's own
    acknowledgement says neither that the broker will keep it nor that anybody listens. Without, the
    store of this machine is the archive, and the broker's acknowledgement is enough.

    A session that stays without a receipt, because no archive is there or because it is refused,
    holds up no other: after a few rounds it makes room, and is sent again at a slow pace.

    Args:
        outbox: where the sessions wait.
        link: the connection; started by whoever owns it.
        topics: of the site.
        receipts: wait for an archive's receipt.
        keep: takes the retained messages of `last-session`.
        pace: how many are sent, and how often.
    """

    def __init__(
        self,
        outbox: SessionOutbox,
        link: MqttLink,
        topics: wire.Topics,
        *,
        receipts: bool,
        keep: Callable[[wire.Message], None],
        pace: Pace | None = None,
    ) -> None:
        self.waiting = 0
        self._outbox = outbox
        self._link = link
        self._topics = topics
        self._receipts = receipts
        self._keep = keep
        self._pace = pace or Pace()
        self._expected: set[str] = set()
        self._on_its_way: dict[int, _OnItsWay] = {}
        self._round_due_s = 0.0
        self._pause_s = self._pace.again_min_s
        self._unanswered = Unanswered(self._pace)
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
            if await self._guarded(self._exchange):
                self._send()
                pause_s = self._until_due_s()
            else:
                pause_s = STORE_RETRY_S
            if not (self.waiting or self._arrived or self._expected or self._news.is_set()):
                self._idle.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._news.wait()

    async def _exchange(self) -> None:
        """All that is to be said to the store, and asked of it."""
        await self._settle()
        self._make_room()
        await self._load()
        await self._send_again()

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

    def _make_room(self) -> None:
        """Who got no answer for long is not waited for; a broker always answers, or is gone."""
        now_s = _now_s()
        if not self._receipts or now_s < self._round_due_s:
            return
        for number, each in tuple(self._on_its_way.items()):
            if each.rounds >= self._pace.rounds:
                del self._on_its_way[number]
                self._unanswered.add(number, each.key, now_s)
                self._pause_s = self._pace.again_min_s

    async def _load(self) -> None:
        """Fill the window from the store."""
        room = self._pace.window - len(self._on_its_way)
        # The store gives a number again once the row that had it is gone, so none is remembered.
        after = max([*self._on_its_way, *self._arrived, self._unanswered.last])
        rows = await asyncio.to_thread(self._outbox.undelivered, after, max(room, 0))
        for number, summary in rows:
            message, key = self._message(summary)
            self._on_its_way[number] = _OnItsWay(message, key)
        if rows:
            await self._tell_last_sessions()
        self.waiting = await asyncio.to_thread(self._outbox.waiting)

    async def _send_again(self) -> None:
        """The next of the unanswered ones, when it is their turn."""
        if not self._link.up or self._unanswered.due_s > _now_s():
            return
        after, window = self._unanswered.after, self._pace.window
        rows = await asyncio.to_thread(self._outbox.undelivered, after, window)
        if not self._link.up or self._unanswered.after != after:
            return  # the connection is another one now
        last = self._unanswered.last
        others = {*self._on_its_way, *self._arrived}
        keys: dict[int, Key] = {}
        for number, summary in rows:
            if number <= last and number not in others:
                message, keys[number] = self._message(summary)
                self._link.send(message)
        self._unanswered.sent(keys, rows[-1][0] if len(rows) == window else last, _now_s())

    def _message(self, summary: SessionSummary) -> tuple[wire.Message, Key]:
        """What is sent, and what its receipt will be known by."""
        topic = self._topics.session(summary.athlete, summary.session_id)
        receipt = self._topics.receipt(summary.athlete, summary.session_id)
        message = catalogue.SESSION.message(topic, wire.session_payload(summary))
        return message, (receipt, summary.revision)

    def _send(self) -> None:
        """A round: all that is on its way, in order.

        While something waits for its answer nothing newer is sent, but with it when it is sent
        again: so none overtakes another that has to be sent again.
        """
        now_s = _now_s()
        rounds = max((each.rounds for each in self._on_its_way.values()), default=0)
        if not (self._on_its_way and self._link.up) or (rounds and now_s < self._round_due_s):
            return
        if self._receipts and rounds >= self._pace.rounds:
            return  # due since `_make_room` has looked, so that looks again at once
        for each in self._on_its_way.values():
            each.mid = self._link.send(each.message)
            each.rounds += 1
        spread = random.uniform(0.8, 1.2)  # noqa: S311  # no secrecy in that
        self._round_due_s = now_s + self._pause_s * spread
        self._pause_s = min(2 * self._pause_s, self._pace.again_max_s)

    def _until_due_s(self) -> float | None:
        due_s = min(self._round_due_s if self._on_its_way else math.inf, self._unanswered.due_s)
        if not self._link.up or math.isinf(due_s):
            return None
        return max(0.0, due_s - _now_s())

    def _start_over(self) -> None:
        """A new connection knows nothing of what the one before was sent."""
        for each in self._on_its_way.values():
            each.rounds, each.mid = 0, None
        self._pause_s = self._pace.again_min_s
        self._unanswered.start_over()
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
        if not incoming.topic.endswith(f"/{receipt.session_id}"):
            return
        key = (incoming.topic, receipt.revision)
        self._arrive(lambda each: each.key == key)
        number = self._unanswered.take(key, _now_s())
        if number is not None:
            self._arrived.add(number)
            self._news.set()

    def _arrive(self, fits: Callable[[_OnItsWay], bool]) -> None:
        for number, each in tuple(self._on_its_way.items()):
            if fits(each):
                del self._on_its_way[number]
                self._arrived.add(number)
                self._pause_s = self._pace.again_min_s
                self._news.set()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
