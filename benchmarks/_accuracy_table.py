"""Rows of figures as Markdown and as JSON."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from _accuracy_metrics import COLUMNS, row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from _accuracy_jobs import Row
    from _accuracy_metrics import Sums

_DIGITS = {
    "rmse": 3, "p95": 2, "mae": 3, "mean": 2, "fast": 1, "peak": 1, "length": 2, "count": 1,
    "f1": 3, "within": 2, "calibration": 2, "mean_within": 2, "known": 1, "recall": 1,
    "runaway": 0, "us": 1,
}  # fmt: skip
_WITH_INTERVAL = {"rmse", "mean", "f1"}


def as_json(results: Mapping[Row, Sequence[Sums]]) -> list[dict[str, Any]]:
    """One object per row; each figure with the ends of its 95 % interval."""
    return [
        {
            **line._asdict(),
            "sessions": len(sessions),
            **{
                name: dict(zip(("value", "low", "high"), figure, strict=True))
                for name, figure in row(sessions).items()
            },
        }
        for line, sessions in results.items()
    ]


def as_markdown(results: Mapping[Row, Sequence[Sums]]) -> str:
    """One table per scenario."""
    parts = []
    for scenario, lines in groupby(results, key=lambda line: line.scenario):
        of_scenario = list(lines)
        figures = {line: row(results[line]) for line in of_scenario}
        shown = [name for name in COLUMNS if any(name in found for found in figures.values())]
        count = max(len(results[line]) for line in of_scenario)
        parts += [f"### {scenario}", "", f"{count} session{'s' * (count > 1)}.", ""]
        parts.append(_line(["sensors", "method", *(COLUMNS[name] for name in shown)]))
        parts.append(_line(["---", "---", *["---:"] * len(shown)]))
        for line in of_scenario:
            cells = [_cell(name, figures[line].get(name)) for name in shown]
            parts.append(_line([line.sensors, line.method, *cells]))
        parts.append("")
    return "\n".join(parts)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(name: str, figure: tuple[float, float, float] | None) -> str:
    if figure is None:
        return ""
    value, low, high = (f"{number:.{_DIGITS[name]}f}" for number in figure)
    return f"{value} ({low}-{high})" if name in _WITH_INTERVAL and low != high else value
