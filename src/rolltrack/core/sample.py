"""What a sensor felt: blocks of IMU readings, and the holes between them.

Frame: the sensor's own right-handed axes. Specific force includes gravity: at rest with z up it
reads (0, 0, +9.81) m/s2. Times are stream seconds; the wall-clock time of stream second 0 travels
beside the stream, never in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

GapReason: TypeAlias = Literal[
    "packets_lost", "link_lost", "no_data", "clock_reset", "missing_readings"
]


def zeros(*shape: int) -> FloatArray:
    """An array of zeros, typed."""
    return np.zeros(shape)


MOST_MPS2, MOST_RADPS = 1000.0, 200.0
"""No sensor for rollers, worn or built in, gives more along an axis: such a reading is none."""

CUTTING: frozenset[GapReason] = frozenset({"link_lost", "no_data", "clock_reset"})
"""How long these gaps were nobody knows, whatever the times beside them say."""


@dataclass(frozen=True, slots=True, eq=False)
class ImuSamples:
    """A block of n readings, oldest first.

    Attributes:
        t_s: (n,) stream time, strictly increasing, finite.
        accel_mps2: (n, 3) specific force, or None without an accelerometer; NaN rows are missing
            readings.
        gyro_radps: (n, 3) angular rate, or None without a gyroscope; NaN rows are missing readings.
        clipped: (n,) True where a reading hit the sensor's full scale, or None when none did.
    """

    t_s: FloatArray
    accel_mps2: FloatArray | None = None
    gyro_radps: FloatArray | None = None
    clipped: BoolArray | None = None

    def __len__(self) -> int:
        return len(self.t_s)

    @property
    def sensors(self) -> tuple[bool, bool]:
        """Whether there is an accelerometer, and a gyroscope."""
        return self.accel_mps2 is not None, self.gyro_radps is not None

    def __getitem__(self, part: slice) -> ImuSamples:
        """The same readings, fewer of them; arrays are views."""
        return ImuSamples(
            self.t_s[part],
            None if self.accel_mps2 is None else self.accel_mps2[part],
            None if self.gyro_radps is None else self.gyro_radps[part],
            None if self.clipped is None else self.clipped[part],
        )

    def only(self, kept: BoolArray) -> ImuSamples:
        """The readings that are to be kept, (n,) True."""
        return ImuSamples(
            self.t_s[kept],
            None if self.accel_mps2 is None else self.accel_mps2[kept],
            None if self.gyro_radps is None else self.gyro_radps[kept],
            None if self.clipped is None else self.clipped[kept],
        )

    @classmethod
    def join(cls, blocks: Sequence[ImuSamples]) -> ImuSamples:
        """Several blocks of one sensor, oldest first, as one."""
        if len(blocks) == 1:
            return blocks[0]
        clipped = None
        if any(b.clipped is not None for b in blocks):
            clipped = np.concatenate(
                [np.zeros(len(b), dtype=bool) if b.clipped is None else b.clipped for b in blocks]
            )
        return cls(
            np.concatenate([b.t_s for b in blocks]),
            _join([b.accel_mps2 for b in blocks]),
            _join([b.gyro_radps for b in blocks]),
            clipped,
        )


def _join(parts: Sequence[FloatArray | None]) -> FloatArray | None:
    present = [p for p in parts if p is not None]
    return np.concatenate(present) if present and len(present) == len(parts) else None


@dataclass(frozen=True, slots=True)
class SignalGap:
    """Readings that never arrived, between two blocks.

    Attributes:
        start_s: time of the last reading before the hole.
        end_s: time of the first reading after it, or the time until which nothing came.
        lost: how many readings the sensor took and we did not get, as far as sequence numbers tell.
        reason: why.
    """

    start_s: float
    end_s: float
    lost: int = 0
    reason: GapReason = "packets_lost"
