"""docs/accuracy.md around the tables."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

from _accuracy_jobs import FIRST_SEED, Row
from _accuracy_metrics import summary
from _accuracy_table import as_markdown

from firmware_sim.scenario import bundled_scenarios
from rolltrack import analyse_trace, load_protocol, sample_trace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from _accuracy_metrics import Sums

_TEXT = Path(__file__).with_name("_accuracy_text.md")
_OVERVIEW = (
    ("naive", "accel", "naive"),
    ("accelerometer, live", "accel", "ours live"),
    ("accelerometer, final", "accel", "ours final"),
    ("both, live", "both", "ours live"),
    ("both, final", "both", "ours final"),
)


def document(results: Mapping[Row, Sequence[Sums]], seeds: int, missing: Sequence[str]) -> str:
    """The whole text.

    Args:
        results: figures of every row.
        seeds: sessions of each scenario.
        missing: what could not be measured, and why.
    """
    protocol = load_protocol("slow-release")
    text = _TEXT.read_text(encoding="utf-8").format(
        seeds=seeds,
        algorithm=analyse_trace(sample_trace("calf"), protocol=protocol).summary.algorithm,
        python=platform.python_version(),
        machine=platform.processor() or platform.machine(),
        first=FIRST_SEED,
        last=FIRST_SEED + seeds - 1,
        overview=_overview(results),
        tables=_about(as_markdown(results)),
    )
    notes = "".join(f"* {note}\n" for note in missing)
    return text + (f"\n## Not measured\n{notes}" if notes else "")


def _overview(results: Mapping[Row, Sequence[Sums]]) -> str:
    lines = [
        f"| scenario | {' | '.join(heading for heading, *_ in _OVERVIEW)} |",
        f"| --- |{' ---: |' * len(_OVERVIEW)}",
    ]
    for scenario in dict.fromkeys(line.scenario for line in results):
        cells = []
        for _, sensors, method in _OVERVIEW:
            figure = summary(results.get(Row(scenario, sensors, method), ()), "rmse")
            cells.append("" if figure is None else f"{figure[0]:.3f}")
        if any(cells):
            lines.append(f"| {scenario} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _about(tables: str) -> str:
    """Put what a scenario is about below its heading."""
    for name, scenario in bundled_scenarios().items():
        tables = tables.replace(f"### {name}\n\n", f"### {name}\n{scenario.about}. ")
    return tables
