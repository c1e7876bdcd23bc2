"""Trace file -> readings: block by block, and strict, as a wrong number looks like any other."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TextIO

import numpy as np

from rolltrack.core.sample import FloatArray, ImuSamples
from rolltrack.errors import InputError
from rolltrack.traces.format import VERSION_KEY, Columns, is_trace_header, parse_header, parse_meta
from rolltrack.traces.plausibility import check_specific_force
from rolltrack.traces.trace import Trace, TraceMeta

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"
_PADDED_COMMA = re.compile(r"[ \t]*,[ \t]*")
_NOT_A_NUMBER = re.compile(r"nan|inf", re.IGNORECASE)
_BLOCK_ROWS = 50_000
_LONGEST_HEAD_LINE = 10_000
_HEAD_LINES = 50
# Beyond every time and every sensor, and far from where squares overflow.
_LARGEST = 1e12

OnBytes = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class TraceFile:
    """What can be said about a trace file after reading its first lines.

    Attributes:
        path: where it is.
        name: file name without folder and ending.
        size_bytes: size on disk; `iter_trace` reports progress in the same unit.
        meta: its metadata.
        columns: where it keeps what.
        head_lines: lines up to and including the header.
    """

    path: Path
    name: str
    size_bytes: int
    meta: TraceMeta
    columns: Columns
    head_lines: int


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """A block of parsed lines: `values` holds the used columns in the order of `Columns.used`."""

    values: FloatArray
    lines: list[str]
    first_line: int


def open_trace(path: str | Path) -> TraceFile:
    """Read the metadata and header of a trace.

    Raises:
        InputError: it is not there, or not a trace.
    """
    with _opened(Path(path)) as (text, _):
        return _read_head(Path(path), text)


def has_trace_header(path: Path) -> bool:
    """Whether a file says that it is a trace, by its first line or by its columns."""
    try:
        with _opened(path) as (text, _):
            head = [text.readline(_LONGEST_HEAD_LINE) for _ in range(_HEAD_LINES)]
    except InputError:
        return False
    header = next((line for line in head if line.strip() and not line.startswith("#")), "")
    return head[0].startswith(f"# {VERSION_KEY}:") or is_trace_header(header)


def iter_trace(
    path: str | Path, rows: int = _BLOCK_ROWS, *, on_bytes: OnBytes | None = None
) -> Iterator[ImuSamples]:
    """Read a trace in blocks of `rows` readings, in memory that does not grow with the file.

    Args:
        path: a `.csv` or `.csv.gz`.
        rows: readings per block.
        on_bytes: called after each block with how far into the file (on disk) reading has come.

    Raises:
        InputError: the first thing wrong, with its line; blocks before it have been given out.
    """
    for _, block, _ in _blocks(Path(path), rows, on_bytes):
        yield block


def read_trace(path: str | Path, *, on_bytes: OnBytes | None = None) -> Trace:
    """Read a whole trace.

    Raises:
        InputError: it is not a trace, or anything in it is wrong.
    """
    parts = list(_blocks(Path(path), _BLOCK_ROWS, on_bytes))
    head = parts[0][0]
    blocks = [block for _, block, _ in parts]
    samples = ImuSamples(
        np.concatenate([block.t_s for block in blocks]),
        _joined([block.accel_mps2 for block in blocks]),
        _joined([block.gyro_radps for block in blocks]),
    )
    return Trace(head.name, head.meta, samples, _joined([truth for _, _, truth in parts]))


def _joined(arrays: list[FloatArray | None]) -> FloatArray | None:
    present = [array for array in arrays if array is not None]
    return np.concatenate(present) if present else None


def trace_name(path: Path) -> str:
    """The file's name without folder, `.gz` and `.csv`."""
    return path.name.removesuffix(".gz").removesuffix(".csv")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[TextIO, IO[bytes]]]:
    """The file as text and as bytes on disk; faults of disk and encoding become InputError."""
    try:
        with path.open("rb") as disk:
            magic = disk.read(4)
            disk.seek(0)
            if magic == _ZIP_MAGIC:
                raise InputError(
                    f"{path}: this is a zip archive, not a trace.", hint="Try `rolltrack convert`."
                )
            plain = gzip.GzipFile(fileobj=disk) if magic.startswith(_GZIP_MAGIC) else disk
            with io.TextIOWrapper(plain, encoding="utf-8-sig") as text:
                yield text, disk
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is not a text file, so not a trace.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the compressed file is cut off or damaged ({error}).") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None


def _read_head(path: Path, text: TextIO) -> TraceFile:
    entries: dict[str, str] = {}
    number = 0
    while line := text.readline(_LONGEST_HEAD_LINE):
        number += 1
        if "\0" in line:
            raise InputError(f"{path}: this is not a text file, so not a trace.")
        if line.startswith("#"):
            key, _, value = line[1:].partition(":")
            entries[key.strip()] = value.strip()
        elif line.strip():
            columns = parse_header(line, str(path))
            meta = parse_meta(entries, str(path))
            return TraceFile(path, trace_name(path), path.stat().st_size, meta, columns, number)
    raise InputError(
        f"{path}: the file is empty." if not number else f"{path}: there is no header row."
    )


def _blocks(
    path: Path, rows: int, on_bytes: OnBytes | None
) -> Iterator[tuple[TraceFile, ImuSamples, FloatArray | None]]:
    with _opened(path) as (text, disk):
        head = _read_head(path, text)
        before_s = -np.inf
        for block in _parsed_lines(head, text, rows):
            if before_s == -np.inf and head.columns.accel:
                check_specific_force(block.values[:, 1:4], str(path))
            _check_times(head, block, before_s)
            before_s = float(block.values[-1, 0])
            if on_bytes is not None:
                on_bytes(disk.tell())
            yield head, *_split(head.columns, block.values)
        if before_s == -np.inf:
            raise InputError(f"{path}: there is a header but no readings.")


def _parsed_lines(head: TraceFile, text: TextIO, rows: int) -> Iterator[_Rows]:
    line_number = head.head_lines + 1
    while lines := list(islice(text, rows)):
        content = "".join(lines)
        if content.strip():
            yield _Rows(_parse(head, content, lines, line_number), lines, line_number)
        line_number += len(lines)


def _parse(head: TraceFile, content: str, lines: list[str], first_line: int) -> FloatArray:
    # Looking for single characters first is a hundred times faster than the regular expression.
    letters = "n" in content or "N" in content
    suspicious = "\0" in content or (letters and _NOT_A_NUMBER.search(content) is not None)
    rows = [row for row in _filled(content).split("\n") if row.strip()]
    try:
        values = np.loadtxt(
            rows,
            delimiter=",",
            usecols=head.columns.used,
            ndmin=2,
            comments=None,
            quotechar='"',
        )
    except ValueError as error:
        _find_fault(head, lines, first_line)
        raise InputError(f"{head.path}: line {first_line} or later: {error}") from None
    if suspicious or (np.abs(values) > _LARGEST).any() or np.isnan(values[:, 0]).any():
        _find_fault(head, lines, first_line)
    return values


def _filled(content: str) -> str:
    """The same rows with `nan` in every empty cell."""
    if " " in content or "\t" in content:
        content = _PADDED_COMMA.sub(",", content)
    content = content.replace(",,", ",nan,").replace(",,", ",nan,").replace("\n,", "\nnan,")
    content = ("nan" if content.startswith(",") else "") + content.replace(",\n", ",nan\n")
    return content + ("nan" if content.endswith(",") else "")


def _find_fault(head: TraceFile, lines: list[str], first_line: int) -> None:
    """Look at every cell on its own and raise the first thing wrong, with its line."""
    for number, line in enumerate(lines, first_line):
        if not line.strip():
            continue
        cells = [cell.strip().strip('"') for cell in line.rstrip("\r\n").split(",")]
        where = f"{head.path}: line {number}"
        if len(cells) <= max(head.columns.used):
            raise InputError(
                f"{where} has {len(cells)} of {head.columns.width} cells, as if cut off;",
                hint="delete that line to use the rest.",
            )
        for position in head.columns.used:
            _check_cell(cells[position], where, is_time=position == head.columns.time)


def _check_cell(cell: str, where: str, *, is_time: bool) -> None:
    if not cell:
        if is_time:
            raise InputError(f"{where} has no time.")
        return
    try:
        sound = abs(float(cell)) <= _LARGEST
    except ValueError:
        raise InputError(f"{where}: {cell[:40]!r} is not a number.") from None
    if not sound:
        raise InputError(
            f"{where}: {cell!r} is not a reading;", hint="leave the cell empty if there is none."
        )


def _check_times(head: TraceFile, block: _Rows, before_s: float) -> None:
    t_s = block.values[:, 0]
    steps = np.diff(t_s, prepend=before_s)
    if (steps > 0).all():
        return
    row = int(np.flatnonzero(~(steps > 0))[0])
    number = [n for n, line in enumerate(block.lines, block.first_line) if line.strip()][row]
    previous_s = float(t_s[row - 1]) if row else before_s
    fault = "repeats the time" if t_s[row] == previous_s else "goes back in time: it comes after"
    raise InputError(
        f"{head.path}: line {number} (t_s = {t_s[row]:.9g}) {fault} {previous_s:.9g};",
        hint="t_s must increase from row to row.",
    )


def _split(columns: Columns, values: FloatArray) -> tuple[ImuSamples, FloatArray | None]:
    gyro_from = 1 + len(columns.accel)
    samples = ImuSamples(
        np.ascontiguousarray(values[:, 0]),
        _whole_rows(values[:, 1:4]) if columns.accel else None,
        _whole_rows(values[:, gyro_from : gyro_from + 3]) if columns.gyro else None,
    )
    return samples, None if columns.true_speed is None else np.ascontiguousarray(values[:, -1])


def _whole_rows(triple: FloatArray) -> FloatArray:
    """A reading with one component missing is a missing reading."""
    rows = np.ascontiguousarray(triple)
    rows[np.isnan(rows).any(axis=1)] = np.nan
    return rows
