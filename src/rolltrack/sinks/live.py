"""The live view: a picture in the terminal, or plain lines where there is none."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from rich.live import Live

from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.sinks.live_board import Board
from rolltrack.sinks.live_lines import line_for
from rolltrack.sinks.live_texts import TEXTS, Lang
from rolltrack.sinks.live_view import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from rolltrack.sinks.sink import Outgoing, Roller

REFRESH_HZ = 10


class LiveView:
    """A sink for people.

    Redrawing happens in a thread of its own, which reads the newest immutable board: a slow
    terminal delays nothing but the picture.

    Args:
        console: where to show it.
        lang: language of the words.
        target_max_mps: where amber begins; None: at 0.8 times the rolling protocol's limit.
    """

    name = "live view"
    wants_samples = False

    def __init__(
        self, console: Console, *, lang: Lang = "en", target_max_mps: float | None = None
    ) -> None:
        self._console = console
        self._texts = TEXTS[lang]
        self._target_max_mps = target_max_mps
        self._board = Board()
        self._stack = contextlib.ExitStack()

    async def open(self) -> None:
        """Start drawing; without a terminal nothing is drawn until there is something to say."""
        if self._console.is_terminal:
            live = Live(
                console=self._console, get_renderable=self._render, refresh_per_second=REFRESH_HZ
            )
            self._stack.enter_context(_drawing(live))

    async def handle(self, roller: Roller, outgoing: Outgoing) -> None:
        """Take an event into the picture, or print its line."""
        if isinstance(outgoing, ImuSamples | SignalGap):
            return
        self._board = self._board.after(roller, outgoing)
        if not self._console.is_terminal:
            line = line_for(roller, outgoing, self._texts)
            if line is not None:
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    async def close(self) -> None:
        """Draw once more and leave the last picture standing."""
        self._stack.close()

    def _render(self) -> RenderableType:
        size = self._console.size
        return render(
            self._board,
            self._texts,
            target_max_mps=self._target_max_mps,
            width=size.width,
            height=size.height,
        )


@contextlib.contextmanager
def _drawing(live: Live) -> Iterator[None]:
    """Draw; log lines go through the stream that rich puts in place of stderr, and scroll above."""
    before = sys.stderr
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is before
    ]
    with live:
        for handler in handlers:
            handler.setStream(sys.stderr)
        try:
            yield
        finally:
            for handler in handlers:
                handler.setStream(before)
