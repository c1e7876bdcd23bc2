"""The command line of the simulator: exit codes and one-line errors."""

import pytest

from firmware_sim.cli import main
from firmware_sim.errors import UsageError
from firmware_sim.replay import identities
from firmware_sim.trace import read_trace


def test_generate_writes_a_trace(tmp_path, capsys):
    out = tmp_path / "calf.csv.gz"
    started = "2026-11-23T10:13:20Z"
    assert (
        main(["generate", "calf", "--seed", "4", "--out", str(out), "--started-at", started]) == 0
    )
    assert read_trace(out).metadata["started_at"] == started
    assert "readings" in capsys.readouterr().out
    assert (tmp_path / "calf.strokes.csv").read_text().startswith("n,start_s,end_s,direction")


def test_generate_writes_the_true_strokes_beside(tmp_path):
    out, strokes = tmp_path / "calf.csv", tmp_path / "strokes.csv"
    assert main(["generate", "calf", "--out", str(out), "--strokes", str(strokes)]) == 0
    header, *rows = strokes.read_text().splitlines()
    assert header.startswith("n,start_s,end_s,direction,length_m,mean_speed_mps")
    assert [row.split(",")[3] for row in rows[:4]] == ["1", "-1", "1", "-1"]


def test_strokes_that_cannot_be_written_are_named(tmp_path, capsys):
    out, strokes = tmp_path / "calf.csv", tmp_path / "no" / "strokes.csv"
    assert main(["generate", "calf", "--out", str(out), "--strokes", str(strokes)]) == 1
    assert str(strokes) in capsys.readouterr().err


def test_scenarios_lists_the_bundled_ones(capsys):
    assert main(["scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("back ")
    assert all(len(line.split(maxsplit=1)) == 2 and len(line) < 120 for line in lines)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["fly"], 2, "fly"),
        (["generate", "elbow", "--out", "x.csv"], 2, "calf"),
        (["generate", "calf", "--out", "no/such/folder/x.csv"], 1, "no/such/folder/x.csv"),
        (["replay", "missing.csv"], 3, "missing.csv"),
        (["replay", "x.csv", "--ble", "usb:0"], 2, "tcp:HOST:PORT"),
        (["replay", "x.csv", "--loop", "--once"], 2, "--loop"),
        (["replay", "x.csv", "--count", "0"], 2, "--count"),
    ],
)
def test_a_fault_is_one_line_and_an_exit_code(capsys, arguments, code, text):
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rolltrack-sim: ")
    assert text in err
    assert err.count("\n") == 1


def test_a_trace_with_an_impossible_axle_is_refused(tmp_path, capsys):
    trace = tmp_path / "odd.csv"
    trace.write_text("# axle: up\nt_s,ax_mps2,ay_mps2,az_mps2\n0,0,0,9.8\n0.01,0,0,9.8\n")
    assert main(["replay", str(trace), "--ble", "tcp:127.0.0.1:0"]) == 3
    assert "axle" in capsys.readouterr().err


def test_a_hub_beyond_this_machine_is_refused(tmp_path, capsys):
    trace = tmp_path / "still.csv"
    trace.write_text("t_s,ax_mps2,ay_mps2,az_mps2\n0,0,0,9.8\n0.01,0,0,9.8\n")
    assert main(["replay", str(trace), "--ble", "tcp:0.0.0.0:0"]) == 2
    assert "loopback" in capsys.readouterr().err


def test_rollers_are_numbered_and_their_addresses_count_up():
    two = identities("R{n}", "F0:00:00:00:00:FF", "s-{n}", 2)
    assert [roller.name for roller in two] == ["R1", "R2"]
    assert [roller.address for roller in two] == ["F0:00:00:00:00:FF", "F0:00:00:00:01:00"]
    assert [roller.serial for roller in two] == ["s-1", "s-2"]


def test_two_rollers_may_share_a_name_but_not_a_serial():
    assert {roller.name for roller in identities("R", "F0:00:00:00:00:01", "s-{n}", 2)} == {"R"}
    with pytest.raises(UsageError, match="serial"):
        identities("R", "F0:00:00:00:00:01", "s", 2)


@pytest.mark.parametrize(
    "address", ["", "F0", "F0:5E:00:00:00", "00:5E:00:00:00:01", "G0:0:0:0:0:0"]
)
def test_an_address_that_is_not_random_static_is_refused(address):
    with pytest.raises(UsageError, match="random static"):
        identities("R", address, "s-{n}", 1)
