"""What is rolled, and which estimators know how it moves: a shape is one line here.

Each has a live estimator, for live speed and prompt strokes, and a final one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from rolltrack.core.motion import final as roller
from rolltrack.core.motion.ball import estimator as ball
from rolltrack.core.motion.ball.live import BallLive
from rolltrack.core.motion.body import estimator as body
from rolltrack.core.motion.body.live import BodyLive
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
        algorithm: method and version of the final one.
        live: makes the live one.
        final: makes the final one.
        margin_s: past and future that a span needs at least.
    """

    algorithm: str
    live: Callable[[float], LiveEstimator]
    final: Callable[[float], Estimator]
    margin_s: float = 0.0


SHAPES: Mapping[Shape, Estimators] = {
    "roller": Estimators(roller.ALGORITHM, RollerLive, roller.FinalEstimator),
    "ball": Estimators(
        ball.ALGORITHM, BallLive.of, lambda radius_m: ball.BallEstimator(radius_m, FINAL_STEPS)
    ),
    "body": Estimators(body.ALGORITHM, BodyLive, lambda _: body.BodyEstimator(), body.MARGIN_S),
}


def algorithm_of(shape: Shape) -> str:
    """Which estimator a shape's final figures come from, like `ball-map/1`."""
    return f"{shape}-{SHAPES[shape].algorithm}"
