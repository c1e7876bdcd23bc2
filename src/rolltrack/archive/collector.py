"""Sessions from the broker -> the archive's database -> receipts to their senders."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import socket
import time
from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rolltrack import wire
from rolltrack.archive.arrival import Arrival, read_arrival
from rolltrack.archive.store import REFUSED_BYTES, Kept, Refusal
from rolltrack.errors import InputError, StoreError
from rolltrack.wire import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rolltrack.archive.store import ArchiveStore
    from rolltrack.mqtt import Incoming, MqttLink
    from rolltrack.store.location import Location

_log = logging.getLogger(__name__)

BATCH = 100
ROOM = 2000
RETRY_MIN_S = 1.0
RETRY_MAX_S = 60.0
REFUSALS_TOLD_EVERY_S = 10.0


def default_name(location: Location) -> str:
    """A name that this machine always gives to an archive in this database."""
    where = location.name if location.file is None else str(location.file.resolve())
    digest = hashlib.blake2b(f"{socket.gethostname()}/{where}".encode(), digest_size=4)
    return f"archive-{digest.hexdigest()}"


def client_id_of(site: str, name: str) -> str:
    """Under this name the broker keeps what arrives while the archive is away."""
    return f"rolltrack-archive-{site}-{name}"


@dataclass(frozen=True, slots=True)
class _Waiting:
    incoming: Incoming
    connection: int
    content: Arrival | Refusal


class Collector:
    """Stores what arrives, and only then sends the receipt and acknowledges it to the broker.

    So nothing can be lost: what was not stored was not acknowledged, and the broker delivers it
    again; should it forget, the sender without a receipt sends again. What comes twice is stored
    once. While the database cannot be written, everything waits.

    Args:
        link: persistent and with manual acknowledgement; the collector starts and stops it.
        store: where sessions are kept; stays open.
        site: whose sessions.
        name: the archive's name in its receipts.
        retry_min_s: first pause after a failure of the database; doubles up to a minute.

    Attributes:
        counts: what happened so far: "stored", "known", "refused", "receipts".
    """

    def __init__(
        self,
        link: MqttLink,
        store: ArchiveStore,
        *,
        site: str,
        name: str,
        retry_min_s: float = RETRY_MIN_S,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._link = link
        self._store = store
        self._site = site
        self._topics = wire.Topics(site)
        self._name = wire.check_id(name, "archive")
        self._retry_min_s = retry_min_s
        self._waiting: deque[_Waiting] = deque()
        self._news = asyncio.Event()
        self._connection = 0
        self._stop = asyncio.Event()
        self._complaint = ""
        self._refusals_told_s = -REFUSALS_TOLD_EVERY_S
        self._refusals_untold = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Collect until `stop` is set; the batch under way is finished."""
        self._link.when_up(self._reconnected)
        self._link.listen(self._topics.any_session, self._take)
        self._link.start()
        watch = asyncio.create_task(self._stop_with(stop), name="archive-stop")
        try:
            while not self._stop.is_set():
                await self._news.wait()
                await self._work_off()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await self._link.stop()

    async def _stop_with(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stop.set()
        self._news.set()

    def _reconnected(self) -> None:
        """What an earlier connection brought is delivered again, and acknowledged in this one."""
        self._connection += 1

    def _take(self, incoming: Incoming) -> None:
        if len(self._waiting) >= ROOM:
            return  # not acknowledged, so not lost; a broker keeps far fewer in flight
        content: Arrival | Refusal
        try:
            content = read_arrival(incoming.topic, incoming.body)
        except InputError as error:
            content = Refusal(incoming.topic, str(error), incoming.body[:REFUSED_BYTES])
        brief = replace(incoming, body=b"")  # who sends megabytes must not fill our memory
        self._waiting.append(_Waiting(brief, self._connection, content))
        self._news.set()

    async def _work_off(self) -> None:
        self._news.clear()
        while self._waiting and not self._stop.is_set():
            batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
            if not await self._keep_trying(batch):
                return
            for _ in batch:
                self._waiting.popleft()

    async def _keep_trying(self, batch: Sequence[_Waiting]) -> bool:
        """Store the batch however long it takes; False when told to stop before."""
        pause_s = self._retry_min_s
        while True:
            try:
                await self._keep(batch)
            except StoreError as error:
                self._complain(str(error))
            else:
                self._praise()
                return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stop.wait()
                return False
            pause_s = min(2 * pause_s, RETRY_MAX_S)

    async def _keep(self, batch: Sequence[_Waiting]) -> None:
        arrivals = [each.content for each in batch if isinstance(each.content, Arrival)]
        refusals = [each.content for each in batch if isinstance(each.content, Refusal)]
        kept = await asyncio.to_thread(
            self._store.keep, arrivals, refusals, site=self._site, arrived_unix_s=time.time()
        )
        for each in batch:
            self._answer(each)
        self._tell(arrivals, kept)
        for refusal in refusals:
            self._tell_refusal(refusal)

    def _answer(self, stored: _Waiting) -> None:
        """The receipt first: who is killed in between gets the message, and sends it, once more.

        Without a connection both are left out: the broker or the sender sends again.
        """
        if self._link.up and isinstance(stored.content, Arrival):
            self._send_receipt(stored.content)
        if self._link.up and stored.connection == self._connection:
            self._link.confirm(stored.incoming)

    def _send_receipt(self, arrival: Arrival) -> None:
        payload = arrival.payload
        receipt = wire.Receipt(
            ts=wire.unix_ms(time.time()),
            session_id=payload.session_id,
            revision=payload.revision,
            archive=self._name,
        )
        topic = self._topics.receipt(payload.athlete, payload.session_id)
        self._link.send(catalogue.RECEIPT.message(topic, receipt))
        self.counts["receipts"] += 1

    def _tell(self, arrivals: Sequence[Arrival], kept: Kept) -> None:
        self.counts["stored"] += len(kept.new)
        self.counts["known"] += len(kept.known) + len(kept.other)
        for i in sorted(kept.new):
            told = arrivals[i].payload
            _log.info(
                "Stored session %s of %s: %d strokes, %d too fast.",
                told.session_id,
                told.athlete,
                told.strokes,
                told.too_fast_strokes,
            )
        for i in sorted(kept.other):
            _log.warning(
                "Session %s, revision %d, came with other content than is stored; it is kept with"
                " what was refused.",
                arrivals[i].payload.session_id,
                arrivals[i].payload.revision,
            )

    def _tell_refusal(self, refusal: Refusal) -> None:
        """Whoever floods us with nonsense must not flood the log."""
        self.counts["refused"] += 1
        self._refusals_untold += 1
        now_s = time.monotonic()
        if now_s - self._refusals_told_s >= REFUSALS_TOLD_EVERY_S:
            more = self._refusals_untold - 1
            _log.warning(
                "Refused a message on %s: it %s.%s `rolltrack archive refused` shows it.",
                ascii(refusal.topic)[1:-1],
                refusal.reason,
                f" So were {more} before it." if more else "",
            )
            self._refusals_told_s, self._refusals_untold = now_s, 0

    def _complain(self, complaint: str) -> None:
        """Say it once, not at every try."""
        if complaint != self._complaint:
            self._complaint = complaint
            _log.error(
                "%s Nothing is acknowledged until it works again; trying again every %g to %g s.",
                complaint,
                self._retry_min_s,
                RETRY_MAX_S,
            )

    def _praise(self) -> None:
        if self._complaint:
            self._complaint = ""
            _log.info("%s works again.", self._store.location)
