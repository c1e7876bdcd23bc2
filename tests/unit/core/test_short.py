import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolltrack.core.motion.short import (
    axes_of,
    covariance,
    cross,
    gradient,
    median,
    solve_small,
)

numbers = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60).map(np.array)


@given(numbers)
def test_the_short_ways_are_those_of_numpy(values):
    assert median(values) == np.median(values)
    np.testing.assert_array_equal(gradient(values, 0.01), np.gradient(values, 0.01))
    turned = values * (1.0 + 0.5j)
    np.testing.assert_array_equal(gradient(turned, 0.01), np.gradient(turned, 0.01))


def test_small_systems_are_solved_as_by_numpy():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(9, 9))
    matrix, sides = root @ root.T, rng.normal(size=(9, 3))
    expected = np.linalg.solve(matrix, sides)
    np.testing.assert_allclose(solve_small(matrix, sides), expected, rtol=1e-9)
    np.testing.assert_allclose(solve_small(matrix, sides[:, 0]), expected[:, 0], rtol=1e-9)
    with pytest.raises(np.linalg.LinAlgError):
        solve_small(np.zeros((3, 3)), np.ones(3))


def test_axes_covariances_and_cross_products_are_those_of_numpy():
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(40, 3)) * [1.0, 3.0, 0.2] + [5.0, -2.0, 9.8]
    matrix = covariance(vectors)
    np.testing.assert_allclose(matrix, np.cov(vectors.T), rtol=1e-12)
    power, axes = axes_of(matrix)
    np.testing.assert_allclose(power, np.linalg.eigvalsh(matrix), rtol=1e-9)
    np.testing.assert_allclose(matrix @ axes, axes * power, atol=1e-9)
    np.testing.assert_allclose(cross(*vectors[:2]), np.cross(*vectors[:2]), rtol=1e-12)
