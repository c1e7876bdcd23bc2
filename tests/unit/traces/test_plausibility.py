import numpy as np
import pytest

from rolltrack.errors import InputError
from rolltrack.traces.plausibility import check_specific_force, doubt_times


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


PERIOD_S = 0.0125
N = np.arange(2000)


def scattered(times_s, share, seed=1):
    return times_s + share * PERIOD_S * np.random.default_rng(seed).uniform(-1, 1, len(times_s))


def without(times_s, packet, share, seed=1):
    """A part of the packets, of so many readings each, is lost."""
    lost = np.random.default_rng(seed).random(len(times_s) // packet + 1) < share
    return times_s[~np.repeat(lost, packet)[: len(times_s)]]


def on_arrival(times_s, every_s, seed=1):
    """As if stamped when they are handed over, every so often, one after the other."""
    delays_s = np.cumsum(np.random.default_rng(seed).exponential(0.0003, len(times_s)))
    return np.ceil(times_s / every_s) * every_s + delays_s


EVEN = N * PERIOD_S
SOUND = {
    "even": EVEN,
    "scattered by 30 %": scattered(EVEN, 0.3),
    "a tenth lost": without(EVEN, 1, 0.1),
    "half of the packets lost": without(EVEN, 10, 0.5),
    "scattered and lost": without(scattered(EVEN, 0.3), 8, 0.3),
    "a pause": EVEN + 60.0 * (N > 900),
    "another rate later": np.cumsum(np.where(N < 1000, PERIOD_S, PERIOD_S / 4)),
    "milliseconds at 406 Hz": np.unique(np.round(N / 406, 3)),
    "20 Hz, scattered": scattered(EVEN, 0.3) * 4,
    "too short to say": np.array([0.0, 0.001, 0.002, 0.05]),
}


def doubted(times_s):
    doubt = doubt_times(times_s)
    return None if doubt is None else doubt.what


@pytest.mark.parametrize("times_s", SOUND.values(), ids=SOUND)
def test_uneven_times_alone_are_no_reason_to_doubt(times_s):
    assert doubt_times(times_s) is None


@pytest.mark.parametrize("times_s", [EVEN, EVEN[:60]], ids=["long", "short"])
@pytest.mark.parametrize("packet", [2, 4, 10])
def test_times_stamped_on_arrival_are_doubted(times_s, packet):
    assert doubted(on_arrival(times_s, packet * PERIOD_S)) == "bursts"


def test_steps_of_one_and_forty_seven_milliseconds_are_bursts():
    assert doubted(np.cumsum(np.tile([0.001, 0.001, 0.001, 0.047], 100))) == "bursts"


def test_bursts_with_lost_packets_and_a_pause_are_still_doubted():
    times_s = on_arrival(EVEN, 4 * PERIOD_S) + 60.0 * (N > 900)
    assert doubted(without(times_s, 4, 0.2)) == "bursts"


@pytest.mark.parametrize(
    ("rate_hz", "doubt"), [(25, None), (19.9, None), (15, "slow"), (4, "slow")]
)
def test_few_readings_a_second_are_doubted(rate_hz, doubt):
    assert doubted(N / rate_hz) == doubt
    assert doubted(without(N / rate_hz, 1, 0.2)) == doubt
