"""The program as a person meets it: exit codes, one line on stderr, nothing on stdout."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

import rolltrack.cli.main as program

ROLLTRACK = (sys.executable, "-m", "rolltrack")


def rolltrack(*arguments, **options):
    return subprocess.run(
        [*ROLLTRACK, *arguments], capture_output=True, text=True, check=False, timeout=60, **options
    )


def only_line(text):
    (line,) = text.splitlines()
    return line


def test_help_imports_no_heavy_library():
    listing = (
        "import sys, rolltrack.cli.main as m; code = m.main(['--help']);"
        "heavy = {'numpy', 'scipy', 'bleak', 'bumble', 'paho', 'rich', 'sqlalchemy', 'msgspec'};"
        "sys.exit(code or ' '.join(sorted(heavy & sys.modules.keys())) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    for name in program.COMMANDS:
        assert f"  {name} " in done.stdout


def test_without_a_command_it_shows_the_help():
    done = rolltrack()
    assert done.returncode == 0
    assert "rolltrack demo" in done.stdout


def test_version():
    assert rolltrack("--version").stdout.startswith("rolltrack 0.")


@pytest.mark.parametrize("name", program.COMMANDS)
def test_every_command_explains_itself(name):
    done = rolltrack(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: rolltrack {name}" in done.stdout
    assert "completion" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["anaylse"], "Did you mean 'analyse'?"),
        (["--frobnicate"], "`rolltrack --help` explains."),
        (["analyse"], "`rolltrack analyse --help` explains."),
        (["protocols", "show", "nonsense"], "Bundled: slow-release"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, says):
    done = rolltrack(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert only_line(done.stderr).startswith("rolltrack: ")
    assert says in done.stderr


@pytest.mark.parametrize("position", ["before", "after"])
def test_debug_shows_the_traceback_wherever_it_stands(position):
    arguments = ["protocols", "show", "nonsense"]
    arguments = ["--debug", *arguments] if position == "before" else [*arguments, "--debug"]
    done = rolltrack(*arguments)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("rolltrack: ")


def test_a_reader_that_goes_away_is_no_error():
    with subprocess.Popen(
        [*ROLLTRACK, "protocols", "show", "slow-release"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) in {1, -signal.SIGPIPE}


def test_a_file_the_system_refuses_is_named_in_the_system_s_words(tmp_path):
    (tmp_path / "roll.csv").mkdir()
    done = rolltrack("convert", str(tmp_path / "roll.csv"), str(tmp_path / "out.csv"))
    assert done.returncode in {1, 3}
    assert "roll.csv" in only_line(done.stderr)
    assert "unexpected" not in done.stderr
