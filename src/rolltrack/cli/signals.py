"""Ctrl-C and a polite kill, for commands that have something to bring to an end first."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stopped_by_signals(
    stop: asyncio.Event, say: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """The first SIGINT or SIGTERM sets `stop` and calls `say`; the next one ends at once."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        release()
        say()

    def release() -> None:
        for number in SIGNALS:
            loop.remove_signal_handler(number)

    for number in SIGNALS:
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        release()
