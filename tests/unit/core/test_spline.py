"""The cubic spline that motion is made of."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rolltrack.core.motion.spline import Basis

_SPACING_S = 0.02


@given(st.lists(st.floats(1e-4, 0.1), min_size=1, max_size=40), st.integers(0, 99))
def test_sums_per_interval_count_each_time_once(steps_s: list[float], seed: int) -> None:
    # Crowded intervals and empty ones.
    basis = Basis.at(np.cumsum(steps_s), 0.0, _SPACING_S)
    rows = np.random.default_rng(seed).normal(size=(len(steps_s), 2, 3))
    expected = np.zeros((basis.intervals, 2, 3))
    np.add.at(expected, basis.interval, rows)
    np.testing.assert_allclose(basis.per_interval_first(rows), expected, atol=1e-12)
    moved = np.moveaxis(rows, 0, -1)
    np.testing.assert_allclose(np.moveaxis(basis.per_interval(moved), -1, 0), expected, atol=1e-12)


def test_several_splines_at_once_are_each_by_itself() -> None:
    basis = Basis.at(np.linspace(0.01, 1.0, 77), 0.0, _SPACING_S)
    c = np.random.default_rng(1).normal(size=(basis.coefficients, 3))
    together = basis.evaluate(c)
    for axis in range(3):
        for part, alone in zip(together, basis.evaluate(c[:, axis]), strict=True):
            np.testing.assert_allclose(part[axis], alone)


def test_slope_and_bend_are_the_derivatives_of_the_value() -> None:
    t_s, tiny_s = np.linspace(0.01, 1.0, 77), 1e-6
    before, at, after = (
        Basis.at(t_s + shift_s, 0.0, _SPACING_S) for shift_s in (-tiny_s, 0.0, tiny_s)
    )
    c = np.random.default_rng(2).normal(size=after.coefficients)
    value, slope, bend = at.evaluate(c)
    (earlier, slope_before, _), (later, slope_after, _) = before.evaluate(c), after.evaluate(c)
    np.testing.assert_allclose((earlier + later) / 2, value, atol=1e-6)
    np.testing.assert_allclose((later - earlier) / (2 * tiny_s), slope, atol=1e-3)
    np.testing.assert_allclose((slope_after - slope_before) / (2 * tiny_s), bend, atol=1.0)
