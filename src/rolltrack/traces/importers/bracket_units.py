"""Any table with units in its header: `Accelerometer X (g)`, `Gyroscope X (deg/s)`, `Time (s)`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolltrack.errors import InputError
from rolltrack.traces.importers import units
from rolltrack.traces.importers.imported import GRAVITY_LEFT_OUT, Imported, refuse_gravity_free
from rolltrack.traces.importers.series import Series
from rolltrack.traces.importers.sheet import Sheet, open_sheet

if TYPE_CHECKING:
    from rolltrack.traces.importers.bundle import Bundle

NAME = "CSV with units in brackets"

_NAME_AND_UNIT = re.compile(r"(?P<name>[^()\[\]]+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")
_TIME = re.compile(r"t|time.*|.*timestamp.*|.*elapsed.*", re.IGNORECASE)
_AXIS = re.compile(r"(?P<sensor>.*?)[\s_.\-]*(?P<axis>[xyz])", re.IGNORECASE)
_GRAVITY_FREE = re.compile(r"linear|user", re.IGNORECASE)
_MAP_HINT = 'name the columns, for example --map "t=Time (s):s,ax=accX:g,ay=accY:g,az=accZ:g".'


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that was recognised: `role` is t, or a sensor and axis like ax, gz, lx."""

    role: str
    index: int
    scale: float


def read(bundle: Bundle) -> Imported | None:
    """See `Importer.read`."""
    if len(bundle.members) != 1:
        return None
    sheet = open_sheet(bundle.members[0])
    columns = _columns(sheet) if sheet is not None else {}
    if sheet is None or not columns:
        return None
    if "t" not in columns:
        raise InputError(f"{bundle.path}: no column with the time and its unit;", hint=_MAP_HINT)
    accel, gyro, linear = (_series(sheet, columns, kind, bundle) for kind in "agl")
    if accel is None and gyro is None and linear is not None:
        raise refuse_gravity_free(str(bundle.path), "export the accelerometer with gravity.")
    if accel is None and gyro is None:
        raise InputError(
            f"{bundle.path}: neither an accelerometer nor a gyroscope with x, y and z;",
            hint=_MAP_HINT,
        )
    notes = (GRAVITY_LEFT_OUT,) if accel is None and linear is not None else ()
    return Imported(accel, gyro, None, notes)


def _series(sheet: Sheet, columns: dict[str, _Column], kind: str, bundle: Bundle) -> Series | None:
    roles = [kind + axis for axis in "xyz"]
    if not all(role in columns for role in roles):
        return None
    used = [columns["t"], *(columns[role] for role in roles)]
    values = sheet.load([column.index for column in used], bundle.on_bytes)
    values *= [column.scale for column in used]
    return Series(values[:, 0], values[:, 1:])


def _columns(sheet: Sheet) -> dict[str, _Column]:
    found: dict[str, _Column] = {}
    for index, header in enumerate(sheet.names):
        match = _NAME_AND_UNIT.fullmatch(header)
        column = _column(match["name"], match["unit"], index) if match else None
        if column is None:
            continue
        if column.role in found:
            other = sheet.names[found[column.role].index]
            raise InputError(
                f"{sheet.member.where}: both {other!r} and {header!r} could be {column.role};",
                hint=_MAP_HINT,
            )
        found[column.role] = column
    return found


def _column(name: str, unit: str, index: int) -> _Column | None:
    time = units.scale(units.TIME, unit)
    if time is not None and _TIME.fullmatch(name):
        return _Column("t", index, time)
    axis = _AXIS.fullmatch(name)
    if axis is None:
        return None
    accel, gyro = units.scale(units.ACCEL, unit), units.scale(units.GYRO, unit)
    if accel is not None and "acc" in name.lower():
        kind = "l" if _GRAVITY_FREE.search(name) else "a"
        return _Column(kind + axis["axis"].lower(), index, accel)
    if gyro is not None:
        return _Column("g" + axis["axis"].lower(), index, gyro)
    return None
