"""Exports of the app phyphox: CSV in all its separators, single or zipped.

Headers as in the app's own experiments: "Time (s)", "Acceleration x (m/s^2)", "Linear Acceleration
x (m/s^2)", "Gyroscope x (rad/s)"; `meta/time.csv` of a zip tells when it started.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from rolltrack.traces.importers.imported import GRAVITY_LEFT_OUT, Imported, refuse_gravity_free
from rolltrack.traces.importers.series import Series
from rolltrack.traces.importers.sheet import Sheet, open_sheet

if TYPE_CHECKING:
    from rolltrack.traces.importers.bundle import Bundle

NAME = "phyphox"

_COLUMN = re.compile(
    r"(?P<sensor>linear acceleration|acceleration|gyroscope) (?P<axis>[xyz])"
    r" \((m/s\^2|m/s²|rad/s)\)",
    re.IGNORECASE,
)
_TIME = "time (s)"


def read(bundle: Bundle) -> Imported | None:
    """See `Importer.read`."""
    found: dict[str, Series] = {}
    for member in bundle.members:
        sheet = open_sheet(member)
        if sheet is None:
            continue
        for sensor, columns in _triples(sheet).items():
            values = sheet.load(columns, bundle.on_bytes)
            found.setdefault(sensor, Series(values[:, 0], values[:, 1:]))
    if not found:
        return None
    accel, gyro = found.get("acceleration"), found.get("gyroscope")
    notes: tuple[str, ...] = ()
    if accel is None and gyro is None:
        hint = "record phyphox's experiment Acceleration (with g), or Gyroscope."
        raise refuse_gravity_free(str(bundle.path), hint)
    if accel is None and "linear acceleration" in found:
        notes = (GRAVITY_LEFT_OUT,)
    return Imported(accel, gyro, _started_at(bundle), notes)


def _triples(sheet: Sheet) -> dict[str, tuple[int, ...]]:
    """Columns time, x, y, z of each sensor that the sheet holds whole."""
    names = [name.lower() for name in sheet.names]
    if _TIME not in names:
        return {}
    axes: dict[str, dict[str, int]] = {}
    for column, name in enumerate(names):
        if match := _COLUMN.fullmatch(name):
            axes.setdefault(match["sensor"], {})[match["axis"]] = column
    time = names.index(_TIME)
    return {
        sensor: (time, *(columns[axis] for axis in "xyz"))
        for sensor, columns in axes.items()
        if len(columns) == len("xyz")
    }


def _started_at(bundle: Bundle) -> float | None:
    """Unix time of experiment second 0: the first START of `meta/time.csv`."""
    member = bundle.find("time")
    if member is None:
        return None
    with member.open_text() as text:
        rows = list(csv.reader(text.readlines(100_000)))
    starts = [row for row in rows if row and row[0].strip().upper() == "START"]
    try:
        return float(starts[0][2]) - float(starts[0][1])
    except (IndexError, ValueError):
        return None
