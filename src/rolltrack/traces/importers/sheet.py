"""A foreign table: any of the usual separators, decimal point or comma, text beside numbers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from rolltrack.core.sample import FloatArray
    from rolltrack.traces.importers.bundle import Member, OnBytes

_SEPARATORS = "\t;,"
_BLOCK_LINES = 50_000
_LOOK_AT_LINES = 20
# Nanoseconds since 1970 are 2e18.
_LARGEST = 1e20
_LONGEST_HEAD_LINE = 10_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table whose header has been read and whose rows have not.

    Attributes:
        member: the file.
        names: the header's cells, without quotes and padding.
        separator: between cells.
        decimal_comma: numbers are written 0,5.
        head_lines: lines up to and including the header.
    """

    member: Member
    names: tuple[str, ...]
    separator: str
    decimal_comma: bool
    head_lines: int

    def load(self, columns: Sequence[int], on_bytes: OnBytes | None = None) -> FloatArray:
        """(n, len(columns)) numbers; NaN where a cell is empty or no possible reading.

        Raises:
            InputError: a cell is not a number, a row is cut off, or there are no rows.
        """
        blocks = []
        with self.member.open_text() as text:
            for _ in range(self.head_lines):
                text.readline()
            number = self.head_lines + 1
            while lines := list(islice(text, _BLOCK_LINES)):
                rows = [line for line in lines if line.strip()]
                if rows:
                    blocks.append(self._numbers(rows, columns, lines, number))
                number += len(lines)
                if on_bytes is not None:
                    on_bytes(sum(map(len, lines)))
        if not blocks:
            raise InputError(f"{self.member.where}: there is a header but no readings.")
        values = np.concatenate(blocks)
        return without_absurd(values)

    def _numbers(
        self, rows: list[str], columns: Sequence[int], lines: list[str], first_line: int
    ) -> FloatArray:
        plain = [row.replace(",", ".") for row in rows] if self.decimal_comma else rows
        try:
            # The common case, thirty times faster than cell by cell.
            return np.loadtxt(
                plain, delimiter=self.separator, usecols=columns, ndmin=2, comments=None
            )
        except ValueError:
            table = [
                [self._number(cells, column, number) for column in columns]
                for number, line in enumerate(lines, first_line)
                if (cells := _cells(line, self.separator, self.member))
            ]
            return np.array(table, dtype=np.float64)

    def _number(self, cells: list[str], column: int, line: int) -> float:
        where = f"{self.member.where}: line {line}"
        if column >= len(cells):
            raise InputError(
                f"{where} has {len(cells)} of {len(self.names)} cells, as if cut off;",
                hint="delete that line to use the rest.",
            )
        cell = cells[column].strip().strip('"')
        if not cell:
            return np.nan
        try:
            # Python would read 1_000 as a number.
            return float(cell.replace("_", "?").replace(",", "." if self.decimal_comma else ","))
        except ValueError:
            raise InputError(
                f"{where}, column {self.names[column]!r}: {cell[:40]!r} is not a number."
            ) from None


def without_absurd(values: FloatArray) -> FloatArray:
    """The same array with NaN for what no clock and no sensor says; changed in place."""
    values[~(np.abs(values) <= _LARGEST)] = np.nan
    return values


def open_sheet(member: Member) -> Sheet | None:
    """Read the header of a table; None if there is none (an empty file or free text)."""
    with member.open_text() as text:
        return _sheet(member, text)


def _sheet(member: Member, text: TextIO) -> Sheet | None:
    head_lines = 0
    header = ""
    while not header and (line := text.readline(_LONGEST_HEAD_LINE)):
        head_lines += 1
        header = "" if line.startswith("#") else line.strip("\r\n")
        if "\0" in line:
            raise InputError(f"{member.where}: this is not a text file.")
    separator = max(_SEPARATORS, key=header.count)
    if separator not in header:
        return None
    names = tuple(name.strip() for name in _cells(header, separator, member))
    sample = [text.readline(_LONGEST_HEAD_LINE) for _ in range(_LOOK_AT_LINES)]
    decimal_comma = separator != "," and any("," in line for line in sample)
    return Sheet(member, names, separator, decimal_comma, head_lines)


def _cells(line: str, separator: str, member: Member) -> list[str]:
    """The cells of a row; none if it is blank."""
    try:
        return next(csv.reader([line.strip("\r\n")], delimiter=separator)) if line.strip() else []
    except (csv.Error, StopIteration) as error:
        raise InputError(f"{member.where}: a row cannot be read: {error}.") from None
