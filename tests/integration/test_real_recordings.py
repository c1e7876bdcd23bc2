"""Real motion, recorded by others: the figures the README names must not get worse."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from rolltrack import load_protocol
from rolltrack.core.events import FinalSpeed
from rolltrack.core.sample import ImuSamples
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ROLLTRACK_DATA", ROOT.parent / "shared" / "data"))
BROAD = sorted((DATA / "broad").glob("*.hdf5"))


@pytest.mark.skipif(not (DATA / "wheelchair_wheel").exists(), reason="no recordings here")
def test_a_wheel_by_its_accelerometer_agrees_with_its_gyroscope(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from real import wheel  # noqa: PLC0415

    figures = wheel(DATA)
    sys.modules.pop("real")
    assert figures["final_rmse_cmps"] < 1.35
    assert figures["final_rmse_cmps_12ms"] < 1.1
    assert figures["final_known_share"] > 0.95
    assert figures["live_rmse_cmps"] < 2.4
    assert figures["live_latest_s"] <= 0.3
    assert figures["naive_rmse_cmps"] > 50


@pytest.mark.skipif(not BROAD, reason="no recordings here")
@pytest.mark.parametrize("path", BROAD, ids=lambda path: path.stem[:22])
def test_what_a_hand_moves_freely_is_unknown(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path) as file:
        rate_hz = float(file.attrs["sampling_rate"])
        moving = np.asarray(file["movement"][:]) == 1
        accel = np.asarray(file["imu_acc"][:], dtype=float)
    t_s = np.arange(len(accel)) / rate_hz
    setup = Setup(
        "r", "a", load_protocol("slow-release"), 0.075,
        idle_s=None, start_at_once=True, live=False, keep_series=True,
    )  # fmt: skip
    tracker = Tracker(setup)
    events = [*tracker.feed(ImuSamples(t_s, accel, None)), *tracker.finish()]
    valid = np.concatenate([e.block.valid for e in events if isinstance(e, FinalSpeed)])
    assert np.mean(~valid[moving]) > 0.98
