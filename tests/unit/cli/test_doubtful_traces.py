"""What commands say of a trace, or of a radius, that makes every speed wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from support.rolling import to_and_fro

from rolltrack.cli.main import main
from rolltrack.traces.samples import sample_trace
from rolltrack.traces.trace import Trace, TraceMeta
from rolltrack.traces.writer import write_trace

ROLL = to_and_fro([0.3, -0.3, 0.3], 0.1).samples


@pytest.fixture(autouse=True)
def in_english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def burst(tmp_path):
    """A recording at 100 Hz whose packets of five were stamped when they arrived."""
    n = np.arange(len(ROLL))
    path = tmp_path / "burst.csv"
    samples = replace(ROLL, t_s=0.05 * (n // 5) + 0.001 * (n % 5))
    write_trace(path, Trace("burst", TraceMeta(radius_m=0.075), samples))
    return str(path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "warning: {}: its times come in bursts"),
        (("--lang", "de"), "Warnung: {}: Die Zeiten kommen stoßweise"),
    ],
)
def test_analyse_warns_of_times_stamped_on_arrival_and_keeps_its_json(capsys, burst, options, says):
    assert main(["analyse", burst, "--json", *options]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["trace"] == burst
    (line,) = captured.err.splitlines()
    assert line.startswith(says.format(burst))


def test_calibrate_says_so_before_it_finds_no_roll(capsys, burst):
    main(["calibrate", burst, "--passes", "9"])
    assert "its times come in bursts" in capsys.readouterr().err.splitlines()[0]


def test_a_replay_warns_too(capsys, burst, tmp_path):
    assert main(["run", "--replay", burst, "--speed", "0", "--mqtt", "off", "--no-view",
                 "--store", str(tmp_path / "s.db")]) == 0  # fmt: skip
    assert "its times come in bursts" in capsys.readouterr().err


def test_a_slow_recording_is_told_its_rate(capsys, tmp_path):
    path = tmp_path / "slow.csv"
    write_trace(
        path, Trace("slow", TraceMeta(radius_m=0.075), ROLL.only(np.arange(len(ROLL)) % 8 == 0))
    )
    assert main(["analyse", str(path)]) == 0
    assert "slow.csv: 12 readings per second are too few" in capsys.readouterr().err


def test_a_sound_recording_needs_no_warning(capsys):
    assert main(["analyse", str(sample_trace("calf"))]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("radius_mm", ["0", "-75", "4.9", "1001", "nan", "inf"])
@pytest.mark.parametrize("command", ["analyse", "run"])
def test_every_command_takes_the_same_radii(capsys, command, radius_mm):
    trace = ["--replay"] if command == "run" else []
    arguments = [command, *trace, str(sample_trace("calf")), f"--radius-mm={radius_mm}"]
    assert main(arguments) == 2
    assert "--radius-mm" in capsys.readouterr().err
