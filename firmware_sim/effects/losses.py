"""Between chip and recording: packets are lost, and the clock is neither exact nor even."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np

from firmware_sim.limits import Drift, NotNegative, Share

if TYPE_CHECKING:
    from firmware_sim.motion import BoolArray
    from firmware_sim.trace import FloatArray

_LEAST_STEP_S = 1e-4


class Losses(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a recording misses and mistimes.

    Attributes:
        packets: share of packets that never arrive.
        packet_samples: readings in a packet.
        jitter_s: standard deviation of the time stamps; at most half a period.
        drift_ppm: how much too fast the clock runs that stamps them.
    """

    packets: Share = 0.0
    packet_samples: Annotated[int, msgspec.Meta(ge=1)] = 1
    jitter_s: NotNegative = 0.0
    drift_ppm: Drift = 0.0

    def arrived(self, n: int, dice: np.random.Generator) -> BoolArray:
        """(n,) which readings are in the recording; the first and the last packet always are."""
        packets = -(-n // self.packet_samples)
        kept = dice.uniform(size=packets) >= self.packets
        kept[0] = kept[-1] = True
        return np.asarray(np.repeat(kept, self.packet_samples)[:n])

    def stamp(self, t_s: FloatArray, dice: np.random.Generator) -> FloatArray:
        """(n,) the times written beside the readings; they never go back."""
        written = t_s * (1.0 + 1e-6 * self.drift_ppm)
        if not self.jitter_s:
            return np.asarray(written)
        written = written + dice.normal(0.0, self.jitter_s, len(t_s))
        step = _LEAST_STEP_S * np.arange(len(t_s))
        return np.asarray(np.maximum.accumulate(written - step) + step)
