"""A recording in memory, and what is known about it besides its readings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolltrack.core.sample import FloatArray, ImuSamples


@dataclass(frozen=True, slots=True)
class TraceMeta:
    """What a trace says about itself; every part may be missing.

    Attributes:
        started_at_unix_s: Unix time of stream second 0.
        radius_m: rolling radius.
        axle: unit vector of the axle in the sensor's axes.
        other: all further `# key: value` lines, as written.
    """

    started_at_unix_s: float | None = None
    radius_m: float | None = None
    axle: tuple[float, float, float] | None = None
    other: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A whole recording.

    Attributes:
        name: file name without folder and ending.
        meta: what the recording says about itself.
        samples: all readings.
        true_speed_mps: (n,) signed surface speed from a reference, NaN where it has none; None
            without one. Only benchmarks read it.
    """

    name: str
    meta: TraceMeta
    samples: ImuSamples
    true_speed_mps: FloatArray | None = None
