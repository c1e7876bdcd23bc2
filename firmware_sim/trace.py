"""Trace files, version 1: a CSV of IMU readings with metadata lines on top.

The simulator has its own reader and writer on purpose: it shares no code with the product, so that
a mistake in one of them shows instead of cancelling out.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_sim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FloatArray: TypeAlias = NDArray[np.float64]

TIME = "t_s"
ACCEL = ("ax_mps2", "ay_mps2", "az_mps2")
GYRO = ("gx_radps", "gy_radps", "gz_radps")
TRUE_SPEED = "true_speed_mps"
DECIMALS = {  # finer than 16 bits of any sensor
    TIME: 6,
    **dict.fromkeys(ACCEL, 5),
    **dict.fromkeys(GYRO, 6),
    TRUE_SPEED: 5,
}


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """n readings, oldest first.

    Attributes:
        t_s: (n,) strictly increasing, finite.
        accel_mps2: (n, 3) specific force, NaN where missing, or None.
        gyro_radps: (n, 3) angular rate, NaN where missing, or None.
        true_speed_mps: (n,) signed surface speed, or None when the truth is not known.
        metadata: the `# key: value` lines.
    """

    t_s: FloatArray
    accel_mps2: FloatArray | None = None
    gyro_radps: FloatArray | None = None
    true_speed_mps: FloatArray | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last reading."""
        return float(self.t_s[-1] - self.t_s[0])

    def with_metadata(self, **more: str) -> Trace:
        """The same readings with more lines of metadata."""
        return replace(self, metadata={**self.metadata, **more})


def read_trace(path: Path) -> Trace:
    """Read a `.csv` or `.csv.gz` trace.

    Raises:
        InputError: there is no such file, or it is not a trace.
    """
    metadata, table = _split(path, _text(path))
    if not table:
        raise InputError(
            f"{path}: no header line. A trace starts with column names such as t_s,ax_mps2."
        )
    columns = {name.strip(): i for i, name in enumerate(table[0])}
    if TIME not in columns:
        raise InputError(
            f"{path}: no column {TIME}. `rolltrack convert` makes traces of other recordings."
        )
    rows = [row for row in table[1:] if row]
    t_s = _column(path, rows, columns[TIME], TIME)
    if len(t_s) < 2:  # noqa: PLR2004 - one reading has no duration and no rate
        raise InputError(f"{path}: fewer than two readings, nothing to replay.")
    if not (np.isfinite(t_s).all() and (np.diff(t_s) > 0).all()):
        raise InputError(
            f"{path}: {TIME} must be finite and strictly increasing. Sort or repair the recording."
        )
    trace = Trace(
        t_s,
        _triple(path, rows, columns, ACCEL),
        _triple(path, rows, columns, GYRO),
        _column(path, rows, columns[TRUE_SPEED], TRUE_SPEED) if TRUE_SPEED in columns else None,
        metadata,
    )
    if trace.accel_mps2 is None and trace.gyro_radps is None:
        raise InputError(
            f"{path}: neither {', '.join(ACCEL)} nor {', '.join(GYRO)}; nothing to replay."
        )
    return trace


def write_trace(path: Path, trace: Trace) -> None:
    """Write a trace; the same trace always gives the same bytes, compressed or not."""
    names, values = [TIME], [trace.t_s[:, None]]
    if trace.accel_mps2 is not None:
        names += ACCEL
        values.append(trace.accel_mps2)
    if trace.gyro_radps is not None:
        names += GYRO
        values.append(trace.gyro_radps)
    if trace.true_speed_mps is not None:
        names.append(TRUE_SPEED)
        values.append(trace.true_speed_mps[:, None])
    text = io.StringIO()
    text.writelines(f"# {key}: {value}\n" for key, value in trace.metadata.items())
    text.write(",".join(names) + "\n")
    for row in np.hstack(values).tolist():
        text.write(",".join(map(_cell, names, row)) + "\n")
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}).") from error
    except UnicodeDecodeError:
        raise InputError(f"{path}: not text in UTF-8, so not a trace.") from None


def _split(path: Path, text: str) -> tuple[dict[str, str], list[list[str]]]:
    metadata: dict[str, str] = {}
    lines = text.splitlines()
    while lines and (not lines[0].strip() or lines[0].startswith("#")):
        key, colon, value = lines.pop(0).lstrip("#").partition(":")
        if colon:
            metadata[key.strip()] = value.strip()
    try:
        return metadata, list(csv.reader(lines))
    except csv.Error as error:
        raise InputError(f"{path}: not CSV ({error}).") from error


def _column(path: Path, rows: list[list[str]], index: int, name: str) -> FloatArray:
    """One column as numbers; empty and absent cells are NaN."""
    cells = (row[index].strip() if index < len(row) else "" for row in rows)
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError as error:
        raise InputError(f"{path}: column {name}: {error}.") from None


def _triple(
    path: Path, rows: list[list[str]], columns: dict[str, int], names: tuple[str, ...]
) -> FloatArray | None:
    if not all(name in columns for name in names):
        return None
    return np.column_stack([_column(path, rows, columns[name], name) for name in names])


def _cell(name: str, value: float) -> str:
    return "" if np.isnan(value) else f"{value:.{DECIMALS[name]}f}"
