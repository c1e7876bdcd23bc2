"""`rolltrack demo`: simulator, Bluetooth, service, MQTT and store, as a person runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import msgspec
import psutil
import pytest

from rolltrack.cli.main import main
from rolltrack.wire import SessionPayload

DEMO = (sys.executable, "-m", "rolltrack", "demo")

pytestmark = [pytest.mark.process, pytest.mark.broker]


def environment(**changes):
    return {**os.environ, "LANG": "C.UTF-8", "COLUMNS": "80", **changes}


def test_once_ends_with_the_summary_that_came_over_mqtt(tmp_path):
    done = subprocess.run(
        [*DEMO, "--once", "--speed", "8"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env=environment(TMPDIR=str(tmp_path)),
    )
    assert done.returncode == 0, done.stderr
    session = msgspec.json.decode(done.stdout.splitlines()[-1], type=SessionPayload, strict=True)
    assert json.loads(done.stdout.splitlines()[-1]).keys() == set(SessionPayload.__struct_fields__)
    assert (session.strokes, session.too_fast_strokes) == (8, 3)
    assert session.gaps == 0
    assert session.samples > 3900
    assert session.hold_s > 5
    assert "Traceback" not in done.stderr
    assert "WARNING" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_it_early_with_a_summary():
    with subprocess.Popen(
        [*DEMO, "--speed", "4", "--lang", "de"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
    ) as process:
        for line in process.stdout:
            if "Zug 2" in line:
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Die Sitzung, wie sie über MQTT zurückkam:" in rest
    assert "davon 0 schneller als die Grenze" in rest
    assert "mosquitto_sub -p " in errors
    assert "Medizinprodukt" in rest


def test_ctrl_c_before_anything_was_rolled_just_ends_it():
    with subprocess.Popen(
        DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        next(line for line in process.stderr if "mosquitto_sub" in line)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == ""


def test_killed_hard_it_leaves_neither_simulator_nor_broker_behind():
    with subprocess.Popen(
        DEMO, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        next(line for line in process.stderr if "mosquitto_sub" in line)
        helpers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert len(helpers) >= 3  # the simulator with its guard, and the broker
    _, left = psutil.wait_procs(helpers, timeout=30)
    assert left == []


def test_an_unknown_trace_names_the_bundled_ones(capsys):
    assert main(["demo", "--trace", "nonsense"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "back, calf, thigh" in line


def test_a_trace_that_holds_no_rolling_says_so(tmp_path, capfd):
    still = tmp_path / "still.csv"
    rows = "".join(f"{n / 100:.2f},0.0,0.0,9.81\n" for n in range(300))
    still.write_text(f"t_s,ax_mps2,ay_mps2,az_mps2\n{rows}")
    assert main(["demo", "--once", "--speed", "8", "--trace", str(still)]) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert 'no stroke was seen in "still"' in captured.err


def test_without_the_simulator_it_says_what_to_install(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "bumble", None)  # as if it were not installed
    assert main(["demo", "--once"]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1].endswith("Run: pip install 'rolltrack[sim]'")
