"""An archive's sessions as CSV, JSON or one JSON document per line."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

import msgspec

from rolltrack.wire import SessionPayload
from rolltrack.wire.payloads import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Format: TypeAlias = Literal["csv", "json", "ndjson"]

COLUMNS = SessionPayload.__struct_fields__
ONE_LINE = {ord("\n"): " ", ord("\r"): " "}
"""A payload may have been printed over several lines; inside its strings there are none."""
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def write_export(payloads: Iterable[str], out: TextIO, form: Format) -> Iterator[int]:
    """Write the payloads; yields after each how many are written.

    JSON and its lines hold the payloads as they came; CSV has the keys of version 1 as columns.
    """
    write = {"csv": _write_csv, "json": _write_json, "ndjson": _write_lines}[form]
    return write(payloads, out)


def _write_csv(payloads: Iterable[str], out: TextIO) -> Iterator[int]:
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for n, text in enumerate(payloads, start=1):
        payload = msgspec.json.decode(text, type=SessionPayload)
        rows.writerow([_cell(getattr(payload, column)) for column in COLUMNS])
        yield n


def _cell(value: object) -> object:
    """Spreadsheets calculate texts that look like formulas, whoever sent them."""
    if isinstance(value, str) and value.startswith(FORMULA_SIGNS):
        return f"'{value}"
    return value


def _write_json(payloads: Iterable[str], out: TextIO) -> Iterator[int]:
    out.write(f'{{"v":{VERSION},"sessions":[')
    for n, text in enumerate(payloads, start=1):
        out.write(f"{',' if n > 1 else ''}{text}")
        yield n
    out.write("]}\n")


def _write_lines(payloads: Iterable[str], out: TextIO) -> Iterator[int]:
    for n, text in enumerate(payloads, start=1):
        out.write(text.translate(ONE_LINE) + "\n")
        yield n
