"""The trace file, version 1: names of columns, metadata lines, header (see docs/traces.md)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rolltrack.core.motion.radius import RADII, is_radius
from rolltrack.errors import InputError, RolltrackError
from rolltrack.traces.trace import TraceMeta

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = "1"
TIME = "t_s"
ACCEL = ("ax_mps2", "ay_mps2", "az_mps2")
GYRO = ("gx_radps", "gy_radps", "gz_radps")
TRUE_SPEED = "true_speed_mps"

VERSION_KEY = "rolltrack-trace"
_NAMED_AXLE = re.compile(r"([+-]?)([xyz])")
_CONVERT_HINT = (
    "`rolltrack convert` reads phyphox, Sensor Logger and any header with units in brackets."
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a file keeps what: positions in a row.

    Attributes:
        width: cells in a row.
        time: position of `t_s`.
        accel: positions of ax, ay, az, or empty.
        gyro: positions of gx, gy, gz, or empty.
        true_speed: position of the reference speed, or None.
    """

    width: int
    time: int
    accel: tuple[int, ...]
    gyro: tuple[int, ...]
    true_speed: int | None

    @property
    def used(self) -> tuple[int, ...]:
        """Positions of everything that is read: time, accelerometer, gyroscope, true speed."""
        truth = () if self.true_speed is None else (self.true_speed,)
        return (self.time, *self.accel, *self.gyro, *truth)


def is_trace_header(line: str) -> bool:
    """Whether a header row has the time and at least one sensor of a trace."""
    names = _cells(line)
    return TIME in names and any(set(triple) <= set(names) for triple in (ACCEL, GYRO))


def parse_header(line: str, where: str) -> Columns:
    """Find the columns of a trace by name.

    Raises:
        InputError: it is not the header of a trace.
    """
    names = _cells(line)
    if TIME not in names:
        shown = ", ".join(names[:6])[:80]
        raise InputError(
            f"{where}: the header has no column {TIME} (found: {shown}).", hint=_CONVERT_HINT
        )
    wanted = [TIME, *ACCEL, *GYRO, TRUE_SPEED]
    repeated = [name for name in wanted if names.count(name) > 1]
    if repeated:
        raise InputError(f"{where}: the header names {repeated[0]} twice.")
    accel, gyro = (_triple(names, triple, where) for triple in (ACCEL, GYRO))
    if not accel and not gyro:
        raise InputError(
            f"{where}: the header has neither {', '.join(ACCEL)} nor {', '.join(GYRO)}.",
            hint=_CONVERT_HINT,
        )
    truth = names.index(TRUE_SPEED) if TRUE_SPEED in names else None
    return Columns(len(names), names.index(TIME), accel, gyro, truth)


def _cells(line: str) -> list[str]:
    return [name.strip().strip('"') for name in line.rstrip("\r\n").split(",")]


def _triple(names: Sequence[str], triple: Sequence[str], where: str) -> tuple[int, ...]:
    missing = [name for name in triple if name not in names]
    if len(missing) == len(triple):
        return ()
    if missing:
        raise InputError(
            f"{where}: the header lacks {', '.join(missing)}: x, y and z belong together."
        )
    return tuple(names.index(name) for name in triple)


def parse_meta(entries: Mapping[str, str], where: str) -> TraceMeta:
    """Read the `# key: value` lines.

    Raises:
        InputError: a known key has an unusable value, or the version is not ours.
    """
    other = dict(entries)
    version = other.pop(VERSION_KEY, VERSION)
    if version != VERSION:
        raise InputError(
            f"{where}: trace format version {version!r}; this rolltrack reads version {VERSION}.",
            hint="A newer rolltrack may read it.",
        )
    started_at, radius, axle = (other.pop(key, None) for key in ("started_at", "radius_m", "axle"))
    return TraceMeta(
        None if started_at is None else parse_moment(started_at, f"{where}: started_at"),
        None if radius is None else _radius_m(radius, where),
        None if axle is None else _axle(axle, where),
        other,
    )


def parse_moment(text: str, where: str, error: type[RolltrackError] = InputError) -> float:
    """Unix seconds of an ISO 8601 moment with its offset; raises `error` naming `where`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise error(
            f"{where}: {text!r} is not a moment;",
            hint="write it like 2026-11-23T10:13:20.123Z (with Z or an offset).",
        )
    return moment.timestamp()


def _radius_m(text: str, where: str) -> float:
    radius_m = _numbers(text)
    if len(radius_m) != 1 or not is_radius(radius_m[0]):
        raise InputError(
            f"{where}: radius_m is {text!r};",
            hint=f"write {RADII}, for example 0.075, or leave the line out.",
        )
    return radius_m[0]


def _axle(text: str, where: str) -> tuple[float, float, float]:
    named = _NAMED_AXLE.fullmatch(text.strip())
    if named:
        sign, name = named.groups()
        axle = [(-1.0 if sign == "-" else 1.0) * (name == one) for one in "xyz"]
    else:
        axle = _numbers(text)
    length = math.hypot(*axle)
    if len(axle) != 3 or not 0 < length < math.inf:  # noqa: PLR2004  a direction has three components
        raise InputError(
            f"{where}: axle is {text!r};",
            hint="give the axle's direction in the sensor's axes, for example +z or 0 0 1.",
        )
    x, y, z = (part / length for part in axle)
    return x, y, z


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        return []


def format_head(meta: TraceMeta, names: Sequence[str]) -> str:
    """The metadata lines and the header row of a trace file."""
    lines = [f"# {VERSION_KEY}: {VERSION}"]
    if meta.started_at_unix_s is not None:
        moment = datetime.fromtimestamp(meta.started_at_unix_s, UTC).isoformat(
            timespec="microseconds"
        )
        lines.append(f"# started_at: {moment.replace('+00:00', 'Z')}")
    if meta.radius_m is not None:
        lines.append(f"# radius_m: {meta.radius_m:.12g}")
    if meta.axle is not None:
        lines.append("# axle: " + " ".join(f"{part:.12g}" for part in meta.axle))
    # A value with a line break in it would turn into a row of its own.
    lines += [f"# {key}: {' '.join(value.split())}" for key, value in meta.other.items()]
    return "\n".join([*lines, ",".join(names)]) + "\n"
