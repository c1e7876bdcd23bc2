"""Strokes kept for the end of a session, as plain numbers.

As objects they take ten times as much, which a session of many hours would show.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rolltrack.core.strokes.stroke import Stroke

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CELLS = 8


@dataclass(slots=True)
class StrokeRecords:
    """A sequence of strokes; what a stroke does not know is NaN in its record."""

    cells: array[float] = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.cells) // _CELLS

    def __iter__(self) -> Iterator[Stroke]:
        for at in range(0, len(self.cells), _CELLS):
            n, start_s, end_s, direction, *speeds, unknown = self.cells[at : at + _CELLS]
            length_m, peak_mps, sd_mps = (None if math.isnan(v) else v for v in speeds)
            yield Stroke(
                n=int(n),
                start_s=start_s,
                end_s=end_s,
                direction=int(direction),
                length_m=length_m,
                peak_speed_mps=peak_mps,
                mean_speed_sd_mps=sd_mps,
                partly_unknown=bool(unknown),
            )

    def add(self, strokes: Iterable[Stroke]) -> None:
        """Append strokes."""
        for each in strokes:
            self.cells.extend((each.n, each.start_s, each.end_s, each.direction))
            speeds = (each.length_m, each.peak_speed_mps, each.mean_speed_sd_mps)
            self.cells.extend(math.nan if value is None else value for value in speeds)
            self.cells.append(each.partly_unknown)
