"""What is rolled, and which estimators know how it moves: a shape is one line here.

Each has a live estimator, for live speed and prompt strokes, and a final one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from rolltrack.core.motion.ball.estimator import BallEstimator
from rolltrack.core.motion.ball.live import BallLive
from rolltrack.core.motion.body.estimator import MARGIN_S, BodyEstimator
from rolltrack.core.motion.body.live import BodyLive
from rolltrack.core.motion.final import FinalEstimator
from rolltrack.core.motion.live_roller import RollerLive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rolltrack.core.motion.live import LiveEstimator
    from rolltrack.core.motion.smoother import Estimator

Shape: TypeAlias = Literal["roller", "ball", "body"]
FINAL_STEPS = 6


class Estimators(NamedTuple):
    """The two of a shape; each made from the radius in metres.

    Attributes:
        live: makes the live one.
        final: makes the final one.
        margin_s: past and future that a span needs at least.
    """

    live: Callable[[float], LiveEstimator]
    final: Callable[[float], Estimator]
    margin_s: float = 0.0


SHAPES: Mapping[Shape, Estimators] = {
    "roller": Estimators(RollerLive, FinalEstimator),
    "ball": Estimators(BallLive.of, lambda radius_m: BallEstimator(radius_m, FINAL_STEPS)),
    "body": Estimators(BodyLive, lambda _: BodyEstimator(), MARGIN_S),
}
