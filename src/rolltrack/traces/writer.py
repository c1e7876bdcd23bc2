"""Readings -> trace file, so that a process that is killed leaves a trace that can be read."""

from __future__ import annotations

import gzip
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from rolltrack.errors import InputError, StoreError
from rolltrack.traces.format import ACCEL, GYRO, TIME, TRUE_SPEED, format_head

if TYPE_CHECKING:
    from types import TracebackType

    from rolltrack.core.sample import FloatArray, ImuSamples
    from rolltrack.traces.trace import Trace, TraceMeta

# A gzip member of its own per this many rows: what is in the file can always be read.
_ROWS_PER_MEMBER = 2_000
_ROWS_PER_WRITE = 50_000


class TraceWriter:
    """Appends blocks of readings to a new trace file that only its owner can read.

    Each block reaches the system in one write of whole lines. A `.csv.gz` collects some 2000 rows
    first; `flush` writes them at once. The first block decides which columns there are.

    Args:
        path: where to write.
        meta: what to say about the recording.
        overwrite: replace an existing file.
        called: the name to use in errors, when `path` is a passing one.

    Raises:
        StoreError: the file exists already (unless `overwrite`) or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        meta: TraceMeta,
        *,
        overwrite: bool = False,
        called: Path | None = None,
    ) -> None:
        self._path = Path(path)
        self._called = called or self._path
        self._meta = meta
        self._compress = self._path.suffix == ".gz"
        self._names: tuple[str, ...] = ()
        self._last_s = -np.inf
        self._pending: list[str] = []
        self._pending_rows = 0
        self.rows = 0
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if overwrite else os.O_EXCL)
        try:
            self._file = os.fdopen(os.open(self._path, flags, 0o600), "wb", buffering=0)
        except FileExistsError:
            raise StoreError(
                f"{self._called} exists already.", hint="Choose another name."
            ) from None
        except OSError as error:
            raise StoreError(f"{self._called} cannot be written: {error.strerror}.") from None

    def append(self, samples: ImuSamples, true_speed_mps: FloatArray | None = None) -> None:
        """Add readings that are later than everything before.

        Raises:
            InputError: they are not later, or have other sensors than the first block.
            StoreError: the disk refused.
        """
        if not len(samples):
            return
        names = _names(samples, true_speed_mps)
        if not self._names:
            self._names = names
            self._pending.append(format_head(self._meta, names))
        elif names != self._names:
            raise InputError(
                f"{self._called}: a block with {', '.join(names)} after {', '.join(self._names)}."
            )
        if not np.all(np.diff(samples.t_s, prepend=self._last_s) > 0):
            raise InputError(
                f"{self._called}: readings at or before {self._last_s:.6f} s were already written."
            )
        self._last_s = float(samples.t_s[-1])
        for start in range(0, len(samples), _ROWS_PER_WRITE):
            part = slice(start, start + _ROWS_PER_WRITE)
            self._pending.append(
                _lines(samples[part], None if true_speed_mps is None else true_speed_mps[part])
            )
            self._pending_rows += len(samples.t_s[part])
            if not self._compress or self._pending_rows >= _ROWS_PER_MEMBER:
                self.flush()
        self.rows += len(samples)

    def flush(self) -> None:
        """Write what has been collected.

        Raises:
            StoreError: the disk refused; the rows are kept for the next try.
        """
        if not self._pending:
            return
        data = "".join(self._pending).encode()
        try:
            self._write(gzip.compress(data, 6, mtime=0) if self._compress else data)
        except OSError as error:
            raise StoreError(f"{self._called} cannot be written: {error.strerror}.") from None
        self._pending.clear()
        self._pending_rows = 0

    def _write(self, data: bytes) -> None:
        """All of it or, when the disk is full, none of it: half a row would spoil the file."""
        start = self._file.tell()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            with suppress(OSError):
                self._file.truncate(start)
                self._file.seek(start)
            raise

    def close(self) -> None:
        """Write the rest; a trace without readings gets its header with both sensors' columns."""
        if not self._names:
            self._pending.append(format_head(self._meta, (TIME, *ACCEL, *GYRO)))
        try:
            self.flush()
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def write_trace(path: str | Path, trace: Trace, *, overwrite: bool = True) -> None:
    """Write a whole trace; an existing file is replaced only when all is written.

    Raises:
        StoreError: it cannot be written, or exists and must not be replaced.
    """
    path = Path(path)
    if not overwrite and path.exists():
        raise StoreError(f"{path} exists already.", hint="Choose another name.")
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        with TraceWriter(unfinished, trace.meta, overwrite=True, called=path) as writer:
            writer.append(trace.samples, trace.true_speed_mps)
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _names(samples: ImuSamples, true_speed_mps: FloatArray | None) -> tuple[str, ...]:
    accel = () if samples.accel_mps2 is None else ACCEL
    gyro = () if samples.gyro_radps is None else GYRO
    return (TIME, *accel, *gyro, *(() if true_speed_mps is None else (TRUE_SPEED,)))


def _lines(samples: ImuSamples, true_speed_mps: FloatArray | None) -> str:
    """Times to the last bit, so that they stay in order; readings to nine digits."""
    extra = [
        samples.accel_mps2,
        samples.gyro_radps,
        None if true_speed_mps is None else true_speed_mps[:, None],
    ]
    table = np.column_stack([samples.t_s, *(array for array in extra if array is not None)])
    row = "%r" + ",%.9g" * (table.shape[1] - 1) + "\n"
    return "".join([row % tuple(cells) for cells in table.tolist()]).replace("nan", "")
