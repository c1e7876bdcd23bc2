"""A session may last all day: what it keeps is small, and says the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rolltrack.core.session.tally import STEP_MPS, SpeedTally
from rolltrack.core.strokes.records import StrokeRecords
from rolltrack.core.strokes.stroke import Stroke

speeds = st.lists(st.floats(0.006, 3.0), min_size=1, max_size=200)
maybe = st.none() | st.floats(0.0, 3.0)
strokes = st.builds(
    Stroke,
    n=st.integers(1, 10_000),
    start_s=st.floats(0.0, 1e6),
    end_s=st.floats(0.0, 1e6),
    direction=st.sampled_from([-1, 1]),
    length_m=maybe,
    peak_speed_mps=maybe,
    mean_speed_sd_mps=maybe,
    partly_unknown=st.booleans(),
)


def tally(values, block=None):
    counted = SpeedTally()
    for at in range(0, len(values), block or len(values)):
        counted.add(np.array(values[at : at + (block or len(values))]))
    return counted


@given(speeds, st.integers(1, 100))
def test_a_percentile_from_counts_is_that_of_the_speeds(values, percent):
    found = tally(values).percentile_mps(percent)
    low = np.percentile(values, percent, method="lower")
    high = np.percentile(values, percent, method="higher")
    assert low - STEP_MPS <= found <= high + STEP_MPS
    assert found <= max(values)


@given(speeds, st.integers(1, 50))
def test_counts_do_not_depend_on_how_speeds_are_cut_into_blocks(values, block):
    whole, cut = tally(values), tally(values, block)
    assert (len(cut), cut.peak_mps) == (len(values), max(values))
    assert cut.percentile_mps(95) == whole.percentile_mps(95)


def test_the_size_of_counts_depends_on_the_fastest_speed_alone():
    short, long = tally([0.1, 0.3]), tally([0.1, 0.3] * 5000, block=10)
    assert long.counts.nbytes == short.counts.nbytes
    assert tally([1e9]).counts.nbytes < 4_000_000


@given(st.lists(strokes, max_size=5))
def test_kept_strokes_come_back_as_they_were(some):
    kept = StrokeRecords()
    kept.add(some)
    assert list(kept) == some
    assert len(kept) == len(some)
