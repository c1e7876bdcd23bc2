"""Every example runs and says what its title asks."""

import subprocess
import sys
from pathlib import Path

import pytest

from rolltrack.protocols import load_protocol

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("analyse_a_recording.py", "3 of 8 strokes were too fast"),
        ("follow_live.py", "session ended: 10 strokes"),
    ],
)
def test_an_example_runs(name, says):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)], capture_output=True, text=True, check=True
    )
    assert says in done.stdout
    assert done.stderr == ""


def test_every_script_is_run_here():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {
        "analyse_a_recording.py",
        "follow_live.py",
    }


def test_the_protocol_of_ones_own_is_valid():
    assert load_protocol(str(EXAMPLES / "my_protocol.toml")).max_stroke_speed_mps == 0.05
