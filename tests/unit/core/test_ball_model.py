"""What the ball's solver believes of its own model."""

from __future__ import annotations

import numpy as np
import pytest

from rolltrack.core.motion.ball.model import (
    BIAS,
    LEVER,
    RATE_BIAS,
    RATE_GAIN,
    BallModel,
    BallReadings,
    predict,
)
from rolltrack.core.motion.spline import Basis

_TINY = 1e-6


class _Case:
    """A ball that wanders, anything for readings."""

    def __init__(self, *, gyroscope: bool) -> None:
        self.rng = np.random.default_rng(7)
        t_s = np.linspace(0.01, 1.0, 90)
        self.basis = Basis.at(t_s, 0.0, 0.025)
        self.c = self.rng.normal(size=(self.basis.coefficients, 3))
        self.c += 3.0 * np.array([0.6, 0.0, 0.8])
        rate = self.rng.normal(size=(90, 3)) if gyroscope else None
        self.readings = BallReadings(self.rng.normal(size=(90, 3)), rate, 0.06, 0.011)
        self.q = np.zeros(self.readings.constants)

    def residual(self, c: np.ndarray, q: np.ndarray) -> np.ndarray:
        return predict(self.basis, c, q, self.readings).residual

    def model(self) -> BallModel:
        return predict(self.basis, self.c, self.q, self.readings)


def test_the_force_follows_the_motion_as_its_derivatives_say() -> None:
    case = _Case(gyroscope=False)
    step = case.rng.normal(size=case.c.shape)
    case.q[BIAS] = [0.3, -0.2, 0.1]
    expected = -np.einsum(
        "krjn,kjn->rn", case.model().by_motion, np.array(case.basis.evaluate(step))
    )
    ahead = case.residual(case.c + _TINY * step, case.q)
    behind = case.residual(case.c - _TINY * step, case.q)
    found = (ahead - behind) / (2 * _TINY)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("gyroscope", [False, True])
def test_force_and_rate_follow_the_constants_as_their_derivatives_say(*, gyroscope: bool) -> None:
    case = _Case(gyroscope=gyroscope)
    parts = [(slice(0, 3), BIAS), (slice(0, 3), LEVER)]
    if gyroscope:
        parts += [(slice(4, 7), RATE_BIAS), (slice(4, 7), RATE_GAIN)]
    model = case.model()
    for rows, which in parts:
        step = np.zeros(len(case.q))
        step[which] = case.rng.normal(size=3)
        expected = -np.einsum("rcn,c->rn", model.by_constants[rows], step)
        ahead, behind = (case.residual(case.c, sign * _TINY * step)[rows] for sign in (1, -1))
        found = (ahead - behind) / (2 * _TINY)
        np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
