"""Exports of the app Sensor Logger: zip, one of its CSV files, its folder, or its JSON.

A CSV per sensor with the columns `time,seconds_elapsed,z,y,x` (z first: read by name only).
"Accelerometer" has no gravity; "TotalAcceleration" (Android) has it; "Gravity" added gives it back.
iPhones turn the signs of acceleration round unless `standardisation` in Metadata.csv is true.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from rolltrack.errors import InputError
from rolltrack.traces.importers.bundle import siblings
from rolltrack.traces.importers.imported import GRAVITY_LEFT_OUT, Imported, refuse_gravity_free
from rolltrack.traces.importers.series import Series, tidy
from rolltrack.traces.importers.sheet import open_sheet, without_absurd
from rolltrack.traces.importers.units import STANDARD_GRAVITY_MPS2

if TYPE_CHECKING:
    from rolltrack.core.sample import FloatArray
    from rolltrack.traces.importers.bundle import Bundle, Member

NAME = "Sensor Logger"

_ACCEL, _GRAVITY, _TOTAL = "accelerometer", "gravity", "totalacceleration"
_UNCALIBRATED, _GYRO = "accelerometeruncalibrated", "gyroscope"
_SENSORS = (_ACCEL, _GRAVITY, _TOTAL, _UNCALIBRATED, _GYRO)
_COLUMNS = ("time", "seconds_elapsed", "x", "y", "z")
_METADATA = "metadata"
_IN_G_BELOW = 2.0
_JSON_ROWS = re.compile(r"\s*\[\s*\{")


class _JsonRow(msgspec.Struct):
    """A record of the JSON export; all values are strings, other sensors have other keys."""

    sensor: str
    time: str = ""
    seconds_elapsed: str = ""
    x: str = ""
    y: str = ""
    z: str = ""
    platform: str = ""
    standardisation: str = ""


@dataclass(slots=True)
class _Recording:
    """All sensors of an export, and what its metadata says."""

    sensors: dict[str, Series] = field(default_factory=dict)
    started_at_unix_s: float | None = None
    platform: str = ""
    standardised: bool = False

    @property
    def sign(self) -> float:
        """-1 where acceleration has the signs of an iPhone."""
        return -1.0 if self.platform == "ios" and not self.standardised else 1.0


def read(bundle: Bundle) -> Imported | None:
    """See `Importer.read`."""
    recording = _read_json(bundle) if _looks_like_json(bundle) else _read_csv(bundle)
    if recording is None:
        return None
    accel, notes = _specific_force(recording)
    gyro = recording.sensors.get(_GYRO)
    if accel is None and gyro is None:
        hint = (
            "switch on Gravity (or Total Acceleration) in the app; Gravity.csv may lie beside it."
        )
        raise refuse_gravity_free(str(bundle.path), hint)
    if accel is None and _ACCEL in recording.sensors:
        notes = (GRAVITY_LEFT_OUT,)
    return Imported(accel, gyro, recording.started_at_unix_s, notes)


def _specific_force(recording: _Recording) -> tuple[Series | None, tuple[str, ...]]:
    sensors = recording.sensors
    signs = f"turned the signs of acceleration round (platform {recording.platform})"
    turned = (signs,) if recording.sign < 0 else ()
    if _TOTAL in sensors:
        return sensors[_TOTAL], ()
    if _ACCEL in sensors and _GRAVITY in sensors:
        accel, _ = tidy(sensors[_ACCEL], "Accelerometer")
        gravity, _ = tidy(sensors[_GRAVITY], "Gravity")
        total = recording.sign * (accel.xyz + gravity.onto(accel.t_s))
        guess = () if recording.platform else (_UNKNOWN_PLATFORM,)
        return Series(accel.t_s, total), ("added gravity back", *turned, *guess)
    if _UNCALIBRATED in sensors and np.isfinite(sensors[_UNCALIBRATED].xyz).all(axis=1).any():
        raw = sensors[_UNCALIBRATED]
        norms = np.linalg.norm(raw.xyz, axis=1)
        if np.median(norms[np.isfinite(norms)]) > _IN_G_BELOW:
            return Series(raw.t_s, recording.sign * raw.xyz), turned
        # Only iPhones write g, and they turn the signs round when they do.
        note = "turned g of an iPhone into m/s2, and its signs round"
        return Series(raw.t_s, -STANDARD_GRAVITY_MPS2 * raw.xyz), (note,)
    return None, ()


_UNKNOWN_PLATFORM = (
    "took the signs of acceleration for Android's: there is no Metadata.csv to say the platform"
)


def _read_csv(bundle: Bundle) -> _Recording | None:
    recording = _Recording()
    if len(bundle.members) == 1 and _sheet_columns(bundle.members[0]) is not None:
        # One file of an unpacked export: the others lie beside it.
        beside = siblings(bundle)
        bundle = beside if bundle.members[0].name in {m.name for m in beside.members} else bundle
    for member in bundle.members:
        if member.stem == _METADATA:
            _read_metadata(member, recording)
        if member.stem not in _SENSORS:
            continue
        columns = _sheet_columns(member)
        sheet = open_sheet(member)
        if columns is None or sheet is None:
            continue
        values = sheet.load(columns, bundle.on_bytes)
        recording.sensors[member.stem] = Series(values[:, 1], values[:, 2:])
        recording.started_at_unix_s = _start(values)
    return recording if recording.sensors else None


def _start(values: FloatArray) -> float | None:
    """Unix time of second 0: `time` is in ns since 1970, `seconds_elapsed` beside it."""
    offsets_s = values[:, 0] * 1e-9 - values[:, 1]
    known = offsets_s[np.isfinite(offsets_s)]
    return float(known[0]) if len(known) else None


def _sheet_columns(member: Member) -> tuple[int, ...] | None:
    sheet = open_sheet(member)
    if sheet is None or not set(_COLUMNS) <= set(sheet.names):
        return None
    return tuple(sheet.names.index(name) for name in _COLUMNS)


def _read_metadata(member: Member, recording: _Recording) -> None:
    with member.open_text() as text:
        for row in csv.DictReader(text.readlines(100_000)):
            recording.platform = (row.get("platform") or "").strip().lower()
            recording.standardised = (row.get("standardisation") or "").strip().lower() == "true"


def _looks_like_json(bundle: Bundle) -> bool:
    if len(bundle.members) != 1:
        return False
    with bundle.members[0].open_text() as text:
        return _JSON_ROWS.match(text.read(100)) is not None


def _read_json(bundle: Bundle) -> _Recording | None:
    member = bundle.members[0]
    with member.open_text() as text:
        content = text.read()
    try:
        rows = msgspec.json.decode(content, type=list[_JsonRow])
    except msgspec.MsgspecError as error:
        raise InputError(f"{member.where}: not a JSON export of Sensor Logger: {error}.") from None
    recording = _Recording()
    by_sensor: dict[str, list[_JsonRow]] = {}
    for row in rows:
        by_sensor.setdefault(row.sensor.lower(), []).append(row)
    for row in by_sensor.get(_METADATA, ()):
        recording.platform = row.platform.lower()
        recording.standardised = row.standardisation.lower() == "true"
    for sensor in _SENSORS:
        if sensor in by_sensor:
            values = _json_values(by_sensor[sensor], f"{member.where}: {sensor}")
            recording.sensors[sensor] = Series(values[:, 1], values[:, 2:])
            recording.started_at_unix_s = _start(values)
    if bundle.on_bytes is not None:
        bundle.on_bytes(len(content))
    return recording if recording.sensors else None


def _json_values(rows: list[_JsonRow], where: str) -> FloatArray:
    try:
        values = np.array(
            [
                [float(cell or "nan") for cell in (r.time, r.seconds_elapsed, r.x, r.y, r.z)]
                for r in rows
            ]
        )
    except ValueError as error:
        raise InputError(f"{where}: {error}.") from None
    return without_absurd(values)
