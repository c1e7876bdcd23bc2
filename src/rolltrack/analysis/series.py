"""The speed of every reading, final and live side by side, as CSV."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from rolltrack.core.events import FinalSpeed, LiveSpeed
from rolltrack.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from rolltrack.core.sample import FloatArray

HEADER = "t_s,speed_mps,speed_sd_mps,valid,live_speed_mps,live_said_s"


@dataclass(slots=True)
class _Waiting:
    """Columns of rows not yet written, as blocks."""

    t_s: list[FloatArray] = field(default_factory=list)
    final: list[FloatArray] = field(default_factory=list)
    live: list[FloatArray] = field(default_factory=list)


class SeriesWriter:
    """Writes one row per reading, in order, as soon as its final speed is known.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("w", encoding="utf-8", newline="\n")
        except OSError as fault:
            raise UsageError(f"cannot write {path}: {fault.strerror}.") from fault
        self._file.write(HEADER + "\n")
        self._waiting = _Waiting()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def expect(self, t_s: FloatArray) -> None:
        """Readings about to be analysed: each gets a row, whatever becomes of it."""
        self._waiting.t_s.append(t_s)

    def take(self, event: LiveSpeed | FinalSpeed) -> None:
        """Note what was said; a final block completes rows."""
        block = event.block
        if isinstance(event, LiveSpeed):
            said = np.full(len(block), event.said_s)
            self._waiting.live.append(
                np.column_stack([block.t_s, block.speed_mps, said])[block.valid]
            )
            return
        self._waiting.final.append(
            np.column_stack([block.t_s, block.speed_mps, block.speed_sd_mps, block.valid])
        )
        self._write(float(block.t_s[-1]))

    def finish(self) -> None:
        """Write the rows that never got a final speed, too."""
        self._write(np.inf)

    def _write(self, until_s: float) -> None:
        waiting = self._waiting
        t_s = np.concatenate([np.empty(0), *waiting.t_s])
        final = np.concatenate([np.empty((0, 4)), *waiting.final])
        live = np.concatenate([np.empty((0, 3)), *waiting.live])
        now = t_s <= until_s
        rows = np.full((int(now.sum()), 6), np.nan)
        rows[:, 0], rows[:, 3] = t_s[now], 0.0
        _place(rows, final, slice(1, 4))
        _place(rows, live, slice(4, 6))
        self._file.writelines(map(_line, rows.tolist()))
        waiting.t_s, waiting.final = [t_s[~now]], []
        waiting.live = [live[live[:, 0] > until_s]]


def _place(rows: FloatArray, said: FloatArray, columns: slice) -> None:
    """Put what was said about an instant into the row of that instant."""
    at = np.searchsorted(rows[:, 0], said[:, 0])
    inside = at < len(rows)
    rows[at[inside], columns] = said[inside, 1:]


def _line(row: list[float]) -> str:
    t_s, speed, sd, valid, live, said = row
    final = f"{speed:.5f},{sd:.5f},1" if valid else ",,0"
    heard = f"{live:.5f},{said:.6f}" if live == live else ","  # noqa: PLR0124 - NaN is not itself
    return f"{t_s:.6f},{final},{heard}\n"
