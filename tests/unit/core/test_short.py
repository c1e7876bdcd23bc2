import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolltrack.core.motion.short import gradient, median, solve_small

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
