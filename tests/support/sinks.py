"""Sinks for tests of what stands before a sink: one remembers, others misbehave."""

from __future__ import annotations

import asyncio


class ListSink:
    """Remembers everything it is handed, in order."""

    def __init__(self, name="list", *, wants_samples=False):
        self.name = name
        self.wants_samples = wants_samples
        self.taken = []
        self.closed = False
        self.news = asyncio.Condition()

    async def open(self):
        pass

    async def handle(self, roller, outgoing):
        async with self.news:
            self.taken.append((roller, outgoing))
            self.news.notify_all()

    async def close(self):
        self.closed = True

    def of(self, *kinds):
        """What it has taken of these types."""
        return [outgoing for _, outgoing in self.taken if isinstance(outgoing, kinds)]

    async def until(self, kind, count=1):
        """Wait until it has taken `count` of a type; the test's own time limit ends a vain wait."""
        async with self.news:
            await self.news.wait_for(lambda: len(self.of(kind)) >= count)
        return self.of(kind)


class StuckSink(ListSink):
    """Never comes back from its first event until `release` is set."""

    def __init__(self, name="stuck", **options):
        super().__init__(name, **options)
        self.reached = asyncio.Event()
        self.release = asyncio.Event()

    async def handle(self, roller, outgoing):
        self.reached.set()
        await self.release.wait()
        await super().handle(roller, outgoing)


class FailingSink(ListSink):
    """Fails on every event, after noting it."""

    def __init__(self, fault, name="failing", **options):
        super().__init__(name, **options)
        self.fault = fault

    async def handle(self, roller, outgoing):
        await super().handle(roller, outgoing)
        raise self.fault
