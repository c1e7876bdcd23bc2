"""ImuSamples -> Motion: how the surface moves along the tissue, instant by instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rolltrack.core.sample import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A block of n instants, oldest first.

    Attributes:
        t_s: (n,) stream time.
        speed_mps: (n,) signed surface speed; NaN where unknown.
        speed_sd_mps: (n,) its standard deviation; NaN where unknown.
        valid: (n,) False where the model does not hold or nothing was measured.
        way: (n,) which way it goes as far as that is known without a speed: 1, -1, 0 where it
            stands, NaN where unknown. None if direction and speed are known or unknown together.
        error_memory_s: speed errors closer than this are taken as one; further apart they average
            out.
        blur_mps: (n,) how much smoothing has added to the speed; None where that is not known.
    """

    t_s: FloatArray
    speed_mps: FloatArray
    speed_sd_mps: FloatArray
    valid: BoolArray
    way: FloatArray | None = None
    error_memory_s: float = 0.5
    blur_mps: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.t_s)

    def __getitem__(self, part: slice) -> Motion:
        return Motion(
            self.t_s[part],
            self.speed_mps[part],
            self.speed_sd_mps[part],
            self.valid[part],
            None if self.way is None else self.way[part],
            self.error_memory_s,
            None if self.blur_mps is None else self.blur_mps[part],
        )

    def followed_by(self, later: Motion) -> Motion:
        """Both as one."""
        return Motion.join([self, later])

    @property
    def nothing_known(self) -> BoolArray:
        """(n,) where not even the direction is known."""
        nothing = ~self.valid
        return nothing if self.way is None else nothing & np.isnan(self.way)

    def unknown_where(self, doubtful: BoolArray) -> Motion:
        """The same, but unknown where doubtful (n,)."""
        if not doubtful.any():
            return self
        return Motion(
            self.t_s,
            np.where(doubtful, np.nan, self.speed_mps),
            np.where(doubtful, np.nan, self.speed_sd_mps),
            self.valid & ~doubtful,
            None if self.way is None else np.where(doubtful, np.nan, self.way),
            self.error_memory_s,
            self.blur_mps,
        )

    @classmethod
    def unknown(cls, t_s: FloatArray) -> Motion:
        """Nothing is known at these instants."""
        nan = np.full(len(t_s), np.nan)
        return cls(t_s, nan, nan.copy(), np.zeros(len(t_s), dtype=bool))

    @classmethod
    def join(cls, blocks: Sequence[Motion]) -> Motion:
        """Several blocks, oldest first, as one."""
        if len(blocks) == 1:
            return blocks[0]
        return cls(
            np.concatenate([block.t_s for block in blocks]),
            np.concatenate([block.speed_mps for block in blocks]),
            np.concatenate([block.speed_sd_mps for block in blocks]),
            np.concatenate([block.valid for block in blocks]),
            _ways(blocks),
            blocks[-1].error_memory_s,
            _blurs(blocks),
        )


def _ways(blocks: Sequence[Motion]) -> FloatArray | None:
    """(n,) of several blocks; where one has none, what its speed says."""
    if all(block.way is None for block in blocks):
        return None
    return np.concatenate(
        [np.sign(block.speed_mps) if block.way is None else block.way for block in blocks]
    )


def _blurs(blocks: Sequence[Motion]) -> FloatArray | None:
    """(n,) of several blocks, none where one does not know."""
    if all(block.blur_mps is None for block in blocks):
        return None
    return np.concatenate(
        [np.zeros(len(block)) if block.blur_mps is None else block.blur_mps for block in blocks]
    )
