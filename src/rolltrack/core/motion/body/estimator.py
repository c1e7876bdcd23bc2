"""Speed along the tissue of a body that lies on a roller: half of the body's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import binary_erosion, binary_opening, gaussian_filter1d

from rolltrack.core.motion.body.attitude import RateBias, level
from rolltrack.core.motion.body.passes import passes
from rolltrack.core.motion.body.track import GRID_S, track
from rolltrack.core.motion.constants import G_MPS2
from rolltrack.core.motion.motion import Motion

if TYPE_CHECKING:
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.body.attitude import Level
    from rolltrack.core.motion.body.track import Track
    from rolltrack.core.sample import BoolArray, FloatArray, ImuSamples

ALGORITHM = "passes/1"
MARGIN_S = 8.0
"""Past and future a span needs: acceleration tells a speed only once the body has turned back."""
_BODY_PER_TISSUE = 2.0
_SHORTEST_S, _FEWEST = 4.0, 50
_NOT_GRAVITY = 0.3
"""People on a roller neither fall nor fly: the force is gravity's size on average."""
_LINE_S = 5.0
"""How long a direction of rolling lasts, at least."""
_ALONG = 1.5
"""Moving along a line: so much more than across it, and at least as much as up and down."""
_LONGEST_PAUSE_S, _PAUSE_EDGE_S = 2.0, 0.4
"""A longer pause needs quiet readings to be called one; its ends belong to the strokes."""
_SD_FACTOR = 1.3
"""Simulated sessions say so; on the real hand movements of BROAD errors are half as large."""
_ERROR_MEMORY_S = _FELT_S = 4.0
_INHERITED, _MOST_RADPS = 0.2, 2e-4
"""Share of what is known of the gyroscope's bias that outlives a session, and its best sd."""


@dataclass(slots=True)
class BodyEstimator:
    """Remembers the gyroscope's bias, and which way of the line was called +1.

    It says nothing about the last few seconds, so it has no live speed.

    Attributes:
        has_axle: False, whatever the readings may look like.
        bias: of the gyroscope as far as known.
        way: (3,) the line's direction in the sensor's axes when last seen, None before.
        way_s: when that was.
    """

    has_axle: ClassVar[bool] = False
    bias: RateBias | None = None
    way: FloatArray | None = None
    way_s: float = -np.inf

    def heir(self) -> BodyEstimator:
        """One for the next session of the same wearer."""
        if self.bias is None:
            return BodyEstimator()
        return BodyEstimator(RateBias(self.bias.mean_radps, _INHERITED * self.bias.precision))

    def estimate(
        self,
        samples: ImuSamples,
        finder: AxleFinder,  # noqa: ARG002 - a body has no axle
        learn: slice | None,
        doubtful: BoolArray | None = None,
    ) -> Motion:
        """Speed along the tissue at every reading, as far as it can be told.

        Args:
            samples: one stretch without gaps; the accelerometer is needed.
            finder: not used.
            learn: the readings whose knowledge is to be kept; None asks for a live speed, and there
                is none.
            doubtful: (n,) where the model cannot hold.
        """
        force, t_s = samples.accel_mps2, samples.t_s
        if force is None or learn is None or len(t_s) < _FEWEST or t_s[-1] - t_s[0] < _SHORTEST_S:
            return Motion.unknown(t_s)
        if abs(float(np.linalg.norm(force, axis=1).mean()) / G_MPS2 - 1) > _NOT_GRAVITY:
            return Motion.unknown(t_s)
        upright = level(t_s, force, samples.gyro_radps, self.bias)
        if not np.isfinite(upright.accel_mps2).all():
            return Motion.unknown(t_s)
        moves = track(t_s, upright.accel_mps2[:, :2], gyroscope=samples.gyro_radps is not None)
        line, holds = _line(moves, t_s, upright)
        line = line * self._sign(line, moves, t_s, upright, learn)
        self._remember(upright, learn, len(t_s))
        motion = _along(moves, line, holds, t_s)
        if samples.clipped is not None and samples.clipped.any():
            motion = motion.unknown_where(_near(t_s, t_s[samples.clipped]))
        return motion if doubtful is None else motion.unknown_where(doubtful)

    def _sign(
        self, line: FloatArray, moves: Track, t_s: FloatArray, upright: Level, learn: slice
    ) -> float:
        """Keep calling the same way +1; a stretch that is kept moves the memory on."""
        sign = 1.0
        if self.way is not None:
            at = min(int(np.searchsorted(t_s, self.way_s)), len(t_s) - 1)
            sign = 1.0 if _in_sensor(line, moves, t_s, upright, at) @ self.way >= 0 else -1.0
        last = range(*learn.indices(len(t_s))).stop - 1
        if last >= 0:
            self.way = sign * _in_sensor(line, moves, t_s, upright, last)
            self.way_s = float(t_s[last])
        return sign

    def _remember(self, upright: Level, learn: slice, n: int) -> None:
        """Add what this stretch says of the gyroscope's bias, each reading once."""
        if upright.bias is None:
            return
        share = len(range(*learn.indices(n))) / n
        precision = share * upright.bias.precision
        if self.bias is not None:
            precision = precision + self.bias.precision
        size = float(np.linalg.eigvalsh(precision)[-1]) * _MOST_RADPS**2
        self.bias = RateBias(upright.bias.mean_radps, precision / max(size, 1.0))


def _line(moves: Track, t_s: FloatArray, upright: Level) -> tuple[FloatArray, BoolArray]:
    """(m, 2) the horizontal direction people move along, and where there is one."""
    scatter = np.einsum("mi,mj->mij", moves.accel_mps2, moves.accel_mps2)
    scatter = gaussian_filter1d(scatter, _LINE_S / GRID_S, axis=0)
    power, directions = np.linalg.eigh(scatter)
    line = directions[:, :, 1]
    same = np.einsum("mi,mi->m", line[1:], line[:-1]) >= 0
    line = line * np.cumprod(np.concatenate([[1.0], np.where(same, 1.0, -1.0)]))[:, None]
    vertical = gaussian_filter1d(np.interp(moves.t_s, t_s, upright.accel_mps2[:, 2]), 2.0)
    vertical = vertical - gaussian_filter1d(vertical, 2.0 / GRID_S)
    upward = gaussian_filter1d(vertical**2, _LINE_S / GRID_S)
    holds = (power[:, 1] > _ALONG**2 * power[:, 0]) & (power[:, 1] > upward) | moves.quiet
    return line, np.asarray(holds)


def _long_pause(way: FloatArray, quiet: BoolArray) -> BoolArray:
    """(m,) where no pass was seen for so long that one may have been too slow to be seen."""
    edge, least = round(_PAUSE_EDGE_S / GRID_S), round(_LONGEST_PAUSE_S / GRID_S)
    long = np.asarray(binary_opening(way == 0, np.ones(least, dtype=bool)))
    return np.asarray(binary_erosion(long, np.ones(2 * edge + 1, dtype=bool))) & ~quiet


def _near(t_s: FloatArray, bad_s: FloatArray) -> BoolArray:
    """(n,) where the speed feels a push that was stronger than the sensor could say."""
    after = np.searchsorted(bad_s, t_s)
    since_s = t_s - bad_s[np.maximum(after - 1, 0)]
    until_s = bad_s[np.minimum(after, len(bad_s) - 1)] - t_s
    return np.asarray(np.minimum(np.abs(since_s), np.abs(until_s)) < _FELT_S)


def _in_sensor(
    line: FloatArray, moves: Track, t_s: FloatArray, upright: Level, at: int
) -> FloatArray:
    """(3,) the line at reading `at` in the sensor's axes."""
    k = min(int(np.searchsorted(moves.t_s, t_s[at])), len(line) - 1)
    return np.asarray(upright.axes[at, :, :2] @ line[k])


def _along(moves: Track, line: FloatArray, holds: BoolArray, t_s: FloatArray) -> Motion:
    """Speed, direction and error at the readings."""
    velocity = CubicSpline(moves.t_s, moves.place_m).derivative()
    on_grid = np.einsum("mi,mi->m", velocity(moves.t_s), line) / _BODY_PER_TISSUE
    push = np.einsum("mi,mi->m", moves.accel_mps2, line) / _BODY_PER_TISSUE
    place = np.cumsum(on_grid) * GRID_S
    way, known = passes(
        place,
        on_grid,
        push,
        lambda a, b: _SD_FACTOR * moves.difference_sd_m(a, b) / _BODY_PER_TISSUE,
    )
    way = np.where(holds & ~_long_pause(way, moves.quiet), way, np.nan)
    near = np.clip(np.rint((t_s - moves.t_s[0]) / GRID_S).astype(int), 0, len(way) - 1)
    valid = (known & holds)[near]
    turned = np.column_stack([np.interp(t_s, moves.t_s, line[:, axis]) for axis in range(2)])
    speed = np.einsum("ni,ni->n", velocity(t_s), turned) / _BODY_PER_TISSUE
    sd = _SD_FACTOR * np.interp(t_s, moves.t_s, moves.speed_sd_mps()) / _BODY_PER_TISSUE
    return Motion(
        t_s,
        np.where(valid, speed, np.nan),
        np.where(valid, sd, np.nan),
        valid,
        way[near],
        _ERROR_MEMORY_S,
    )
