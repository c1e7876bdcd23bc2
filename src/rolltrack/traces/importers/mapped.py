"""Tables that say nothing about themselves: the user names columns and units."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolltrack.errors import InputError, UsageError
from rolltrack.traces.importers import units
from rolltrack.traces.importers.imported import Imported
from rolltrack.traces.importers.series import Series
from rolltrack.traces.importers.sheet import Sheet, open_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rolltrack.traces.importers.bundle import Bundle

NAME = "columns named by --map"

_UNITS = {
    "t": units.TIME,
    **{f"a{axis}": units.ACCEL for axis in "xyz"},
    **{f"g{axis}": units.GYRO for axis in "xyz"},
}
_EXAMPLE = 'write it like --map "t=time:ms,ax=accX:g,ay=accY:g,az=-accZ:g,gx=rotX:dps,…".'


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where one quantity comes from: a column of the file and the factor to SI."""

    column: str
    scale: float


def parse_mapping(text: str) -> dict[str, Mapping]:
    """Read "t=Time (s):s,ax=accX:g,…"; a minus before a column turns its sign round.

    Raises:
        UsageError: a quantity or unit is not known, or something needed is missing.
    """
    mapping: dict[str, Mapping] = {}
    for part in text.split(","):
        role, equals, source = (word.strip() for word in part.partition("="))
        column, colon, unit = (word.strip() for word in source.rpartition(":"))
        if role not in _UNITS or not equals or not colon or not column:
            raise UsageError(f"--map: cannot read {part.strip()!r};", hint=_EXAMPLE)
        scale = units.scale(_UNITS[role], unit)
        if scale is None:
            known = ", ".join(_UNITS[role])
            raise UsageError(f"--map: {unit!r} is no unit for {role}.", hint=f"Known: {known}.")
        sign = -1.0 if column.startswith("-") else 1.0
        mapping[role] = Mapping(column.removeprefix("-"), sign * scale)
    for kind in "ag":
        given = [role for role in mapping if role.startswith(kind)]
        if given and len(given) != len("xyz"):
            raise UsageError(f"--map: {kind}x, {kind}y and {kind}z belong together;", hint=_EXAMPLE)
    if "t" not in mapping or len(mapping) == 1:
        raise UsageError("--map: it needs t and ax, ay, az or gx, gy, gz;", hint=_EXAMPLE)
    return mapping


def read(bundle: Bundle, mapping: dict[str, Mapping]) -> Imported:
    """Readings of the named columns.

    Raises:
        UsageError: the file has no such column.
        InputError: the file is not a table.
    """
    sheet = open_sheet(bundle.members[0]) if len(bundle.members) == 1 else None
    if sheet is None:
        raise InputError(f"{bundle.path}: --map needs a single table with a header row.")
    accel, gyro = (_series(sheet, mapping, kind, bundle) for kind in "ag")
    return Imported(accel, gyro)


def _series(sheet: Sheet, mapping: dict[str, Mapping], kind: str, bundle: Bundle) -> Series | None:
    roles = ["t", *(kind + axis for axis in "xyz")]
    if not all(role in mapping for role in roles):
        return None
    columns = [_index(sheet.names, mapping[role].column) for role in roles]
    values = sheet.load(columns, bundle.on_bytes)
    values *= [mapping[role].scale for role in roles]
    return Series(values[:, 0], values[:, 1:])


def _index(names: Sequence[str], column: str) -> int:
    if column in names:
        return list(names).index(column)
    near = difflib.get_close_matches(column, names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(names)[:200]}."
    raise UsageError(f"--map: the file has no column {column!r}.", hint=hint)
