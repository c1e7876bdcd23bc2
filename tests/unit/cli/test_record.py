"""`rolltrack record`: what goes into a trace's head, and what is said when nobody comes."""

from __future__ import annotations

import pytest
from support.rolling import to_and_fro

from rolltrack.cli.record import Recording, Wanted, _nothing_came
from rolltrack.sources.source import Sensor
from rolltrack.traces.reader import read_trace


@pytest.mark.parametrize("said_m", [0.0001, 0.0049, 6.5, float("nan")])
def test_a_radius_that_none_has_leaves_a_trace_that_can_be_read(tmp_path, capsys, said_m):
    recording = Recording(tmp_path / "roll.csv", None)
    roller = Sensor("ble", "RT-1", "Roller", epoch_unix_s=1_763_900_000.0, radius_m=said_m)
    recording.deliver(roller, to_and_fro([0.1], lead_s=0.1).samples)
    recording.close()
    assert read_trace(tmp_path / "roll.csv").meta.radius_m is None
    assert f"a radius of {1000 * said_m:g} mm" in capsys.readouterr().err


def test_a_roller_that_does_not_come_is_named_with_those_that_did():
    wanted = Wanted("nope")
    assert not any(map(wanted, ("RT-1", "F0:5E:00:00:00:01", "Calf\x1b[2J")))
    text = str(_nothing_came("os", wanted))
    assert "No roller called 'nope' was met within 20 s on os." in text
    assert "Others were: RT-1, F0:5E:00:00:00:01, Calf?[2J." in text


def test_a_roller_that_came_and_said_nothing_is_not_told_from_the_others():
    wanted = Wanted("calf")
    assert any(map(wanted, ("RT-1", "Calf")))
    assert "sent anything" in str(_nothing_came("os", wanted))
