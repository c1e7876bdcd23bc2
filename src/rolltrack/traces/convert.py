"""Any recording -> trace: recognise the format, mend the times, bring all sensors onto one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.sample import FloatArray, ImuSamples
from rolltrack.errors import InputError
from rolltrack.traces.importers import IMPORTERS, mapped
from rolltrack.traces.importers.bundle import Bundle, open_bundle
from rolltrack.traces.importers.series import Repairs, Series, tidy
from rolltrack.traces.plausibility import check_rate, check_specific_force
from rolltrack.traces.reader import has_trace_header, read_trace
from rolltrack.traces.trace import Trace, TraceMeta

if TYPE_CHECKING:
    from rolltrack.traces.importers.imported import Imported

# Seconds of this size are not since the start of a recording but since 1970.
_UNIX_TIME_FROM_S = 1e8
_UNIX_TIME_UNTIL_S = 1e10

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Converted:
    """A recording that has become a trace.

    Attributes:
        trace: the readings.
        format_name: what the input was taken for.
        notes: what was done to it that the user should know.
    """

    trace: Trace
    format_name: str
    notes: tuple[str, ...]


def convert(
    path_in: str | Path,
    *,
    mapping: str | None = None,
    radius_m: float | None = None,
    started_at: float | None = None,
    on_progress: OnProgress | None = None,
) -> Converted:
    """Read a recording of another program.

    Args:
        path_in: a file, a zip or a folder.
        mapping: columns and units (`t=Time (s):s,ax=accX:g,…`); recognised without it.
        radius_m: rolling radius to note in the trace.
        started_at: Unix time of stream second 0, when the recording does not say or is wrong.
        on_progress: told bytes read and bytes in all.

    Raises:
        InputError: no known format, or unusable readings.
        UsageError: the mapping cannot be read or names what is not there.
    """
    path = Path(path_in)
    if mapping is None and has_trace_header(path):
        converted = Converted(read_trace(path), "rolltrack trace", ())
    else:
        bundle = _with_progress(open_bundle(path), on_progress)
        if mapping is not None:
            name, imported = mapped.NAME, mapped.read(bundle, mapped.parse_mapping(mapping))
        else:
            name, imported = _recognised(bundle)
        trace, notes = _joined(imported, path)
        converted = Converted(trace, name, notes)
    meta = converted.trace.meta
    meta = replace(
        meta,
        radius_m=meta.radius_m if radius_m is None else radius_m,
        started_at_unix_s=meta.started_at_unix_s if started_at is None else started_at,
    )
    return replace(converted, trace=replace(converted.trace, meta=meta))


def _with_progress(bundle: Bundle, on_progress: OnProgress | None) -> Bundle:
    if on_progress is None:
        return bundle
    read_bytes = 0

    def on_bytes(count: int) -> None:
        nonlocal read_bytes
        read_bytes += count
        on_progress(read_bytes, max(bundle.size_bytes, read_bytes))

    return replace(bundle, on_bytes=on_bytes)


def _recognised(bundle: Bundle) -> tuple[str, Imported]:
    for importer in IMPORTERS:
        imported = importer.read(bundle)
        if imported is not None:
            return importer.NAME, imported
    raise InputError(
        f"{bundle.path}: this is no recording of a known format"
        f" ({', '.join(importer.NAME for importer in IMPORTERS)});",
        hint='name its columns with --map "t=…:s,ax=…:g,…" (see docs/traces.md).',
    )


def _joined(imported: Imported, path: Path) -> tuple[Trace, tuple[str, ...]]:
    """One table on the accelerometer's times, or on the gyroscope's if it is alone."""
    accel, gyro = imported.accel, imported.gyro
    repairs = Repairs()
    if accel is not None:
        accel, repairs = tidy(accel, str(path))
        check_specific_force(accel.xyz, str(path))
    if gyro is not None:
        gyro, gyro_repairs = tidy(gyro, str(path))
        # Sensors of one table share its times, and with them what was put right.
        repairs = repairs if repairs == gyro_repairs else repairs + gyro_repairs
    leader = accel or gyro
    if leader is None:
        raise InputError(f"{path}: there are no readings.")
    t_s, started_at_unix_s = _stream_time(leader, imported.started_at_unix_s, path)
    check_rate(t_s, str(path))
    samples = ImuSamples(
        t_s,
        None if accel is None else accel.xyz,
        None if gyro is None else gyro.onto(leader.t_s),
    )
    name = path.name.partition(".")[0]
    trace = Trace(name, TraceMeta(started_at_unix_s), samples)
    return trace, (*imported.notes, *repairs.notes())


def _stream_time(
    leader: Series, started_at_unix_s: float | None, path: Path
) -> tuple[FloatArray, float | None]:
    first_s = float(leader.t_s[0])
    t_s = leader.t_s
    if first_s >= _UNIX_TIME_FROM_S:
        t_s, started_at_unix_s = t_s - first_s, first_s
    if started_at_unix_s is not None and not 0 <= started_at_unix_s < _UNIX_TIME_UNTIL_S:
        raise InputError(
            f"{path}: by its times the recording began {started_at_unix_s:.3g} s after 1970;",
            hint="the time column has another unit than it says: name it with --map.",
        )
    if not (np.diff(t_s) > 0).all():
        raise InputError(f"{path}: the times are too large to tell readings apart.")
    return t_s, started_at_unix_s
