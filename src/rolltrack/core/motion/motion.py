"""ImuSamples -> Motion: how the surface moves along the tissue, instant by instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rolltrack.core.sample import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A block of n instants, oldest first.

    Attributes:
        t_s: (n,) stream time.
        speed_mps: (n,) signed surface speed; NaN where unknown.
        speed_sd_mps: (n,) its standard deviation; NaN where unknown.
        valid: (n,) False where the model does not hold or nothing was measured.
    """

    t_s: FloatArray
    speed_mps: FloatArray
    speed_sd_mps: FloatArray
    valid: BoolArray

    def __len__(self) -> int:
        return len(self.t_s)

    def __getitem__(self, part: slice) -> Motion:
        return Motion(
            self.t_s[part], self.speed_mps[part], self.speed_sd_mps[part], self.valid[part]
        )

    @classmethod
    def unknown(cls, t_s: FloatArray) -> Motion:
        """Nothing is known at these instants."""
        nan = np.full(len(t_s), np.nan)
        return cls(t_s, nan, nan.copy(), np.zeros(len(t_s), dtype=bool))
