"""How accurate the speed is: simulated scenarios with known truth, and real recordings.

Writes docs/accuracy.md when everything is measured; a part of it (--only, --quick) is printed
instead. Takes about half an hour with 20 seeds on two cores, and is not part of CI.

python benchmarks/accuracy.py [--seeds 20] [--only SCENARIO ...] [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import _accuracy_jobs as jobs
import _accuracy_real as real
from _accuracy_document import document
from _accuracy_table import as_json, as_markdown
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _accuracy_jobs import Job, Row
    from _accuracy_metrics import Sums

DOCUMENT = Path(__file__).parent.parent / "docs" / "accuracy.md"
DATA = Path(os.environ.get("ROLLTRACK_DATA", "../shared/data"))
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
QUICK = ("typical", "rough", "carried", "ball")
QUICK_SEEDS = 2


def measure(todo: Sequence[Job]) -> dict[Row, list[Sums]]:
    """Run all jobs on all cores; rows in the order of the jobs."""
    done: dict[int, dict[Row, Sums]] = {}
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    os.environ |= dict.fromkeys(ONE_THREAD, "1")  # read by the numpy of each new process
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool, progress:
        task = progress.add_task("sessions", total=len(todo))
        waiting = {pool.submit(jobs.run, job): i for i, job in enumerate(todo)}
        for future in as_completed(waiting):
            done[waiting[future]] = future.result()
            progress.advance(task)
    results: dict[Row, list[Sums]] = {}
    for i in sorted(done):
        for line, figures in done[i].items():
            results.setdefault(line, []).append(figures)
    return results


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="sessions of each scenario")
    parser.add_argument("--only", nargs="+", default=[], metavar="SCENARIO")
    parser.add_argument("--quick", action="store_true", help="four scenarios, two seeds")
    parser.add_argument("--json", action="store_true", help="print JSON and write no document")
    parser.add_argument("--out", type=Path, default=DOCUMENT, help="where the document goes")
    options = parser.parse_args()
    only = options.only or (QUICK if options.quick else ())
    seeds = QUICK_SEEDS if options.quick else options.seeds
    todo = jobs.simulated_jobs(seeds, only) + jobs.real_jobs(DATA, seeds, only)
    if not todo:
        sys.exit(f"no scenario {', '.join(only)}; `rolltrack-sim scenarios` lists them.")
    results = measure(todo)
    if options.json:
        print(json.dumps(as_json(results)))
    elif only:
        print(as_markdown(results))
    else:
        text = document(results, seeds, real.missing(DATA))
        options.out.write_text(text, encoding="utf-8")
        print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
