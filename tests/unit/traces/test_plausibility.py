import numpy as np
import pytest

from rolltrack.errors import InputError
from rolltrack.traces.plausibility import check_specific_force


def around(norm, scatter, n=500):
    rng = np.random.default_rng(3)
    direction = rng.normal(size=(n, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return direction * (norm + scatter * rng.normal(size=(n, 1)))


def test_vigorous_rolling_passes_also_with_missing_readings():
    accel = around(10.5, 4.0)
    accel[::3] = np.nan
    check_specific_force(accel, "roll.csv")


def test_linear_acceleration_of_one_mps2_is_not_taken_for_g():
    with pytest.raises(InputError, match="gravity has been taken out"):
        check_specific_force(np.random.default_rng(1).normal(0, 0.65, (500, 3)), "roll.csv")


def test_g_is_recognised_in_motion():
    with pytest.raises(InputError, match="as if in g"):
        check_specific_force(around(1.08, 0.15), "roll.csv")


@pytest.mark.parametrize("n", [0, 9])
def test_a_handful_of_readings_is_no_evidence(n):
    check_specific_force(np.zeros((n, 3)), "roll.csv")
