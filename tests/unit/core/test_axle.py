import numpy as np
import pytest
from support.rolling import to_and_fro

from rolltrack.core.motion.axle import AxleFinder
from rolltrack.core.sample import ImuSamples


@pytest.mark.parametrize("gyro", [True, False])
@pytest.mark.parametrize("length_m", [0.06, 0.2, 1.2])
def test_the_axle_is_found_from_a_short_arc_and_from_many_turns(gyro, length_m):
    samples = to_and_fro([length_m, -length_m], lead_s=0.1, gyro=gyro).samples
    finder = AxleFinder()
    finder.see_turning(samples)
    assert finder.axle is not None
    assert abs(finder.axle @ [0, 1, 0]) > np.cos(np.radians(6))


def test_a_roller_that_never_turned_has_no_known_axle():
    finder = AxleFinder()
    finder.see_turning(to_and_fro([], lead_s=3).samples)
    assert finder.axle is None


def test_the_sensor_s_word_on_its_axle_fixes_the_sign():
    samples = to_and_fro([0.2], gyro=False).samples
    plus, minus = AxleFinder(hint=(0, 1, 0)), AxleFinder(hint=(0, -1, 0))
    assert plus.axle is not None
    for finder in (plus, minus):
        finder.see_turning(samples)
    assert plus.axle @ [0, 1, 0] > 0.9
    assert minus.axle @ [0, 1, 0] < -0.9


def test_rest_shows_the_gyroscope_s_bias():
    finder = AxleFinder()
    still = np.tile([0.02, -0.01, 0.005], (100, 1))
    finder.see_rest(ImuSamples(np.arange(100) / 100, None, still))
    np.testing.assert_allclose(finder.rate_bias_radps, [0.02, -0.01, 0.005])
