"""main(): every fault a command can raise ends as one line and an exit code."""

from __future__ import annotations

import sys
import types

import pytest
import typer

from rolltrack.cli import main as program
from rolltrack.errors import BrokerError, InputError, SensorNotFoundError, UsageError


@pytest.fixture
def raising(monkeypatch):
    """A command "fail" that raises what the test wants."""

    def install(fault):
        module = types.ModuleType("failing_command")
        module.app = typer.Typer()

        @module.app.command()
        def fail() -> None:
            raise fault

        monkeypatch.setitem(sys.modules, "failing_command", module)
        monkeypatch.setitem(program.COMMANDS, "fail", ("failing_command", "Fails."))

    return install


@pytest.mark.parametrize(
    ("fault", "exit_code", "line"),
    [
        (BrokerError("no broker at localhost:1.", hint="Start one."), 1, "localhost:1. Start one."),
        (UsageError("no such thing"), 2, "no such thing"),
        (InputError("calf.csv:3: t_s goes back"), 3, "calf.csv:3: t_s goes back"),
        (SensorNotFoundError("no adapter"), 4, "no adapter"),
        (ZeroDivisionError("division\nby zero"), 1, "unexpected ZeroDivisionError: division by"),
        (ExceptionGroup("tasks", [ValueError("x"), InputError("the cause")]), 3, "the cause"),
        (ExceptionGroup("tasks", [ExceptionGroup("inner", [KeyError("k")])]), 1, "KeyError"),
    ],
)
def test_a_fault_is_one_line_on_stderr(raising, capsys, fault, exit_code, line):
    raising(fault)
    assert program.main(["fail"]) == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    (only,) = captured.err.splitlines()
    assert only.startswith("rolltrack: ")
    assert line in only


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupt_is_quiet(raising, capsys, fault):
    raising(fault)
    assert program.main(["fail"]) == 130
    assert capsys.readouterr().err == ""


def test_a_command_can_choose_its_exit_code(raising):
    raising(typer.Exit(3))
    assert program.main(["fail"]) == 3


def test_debug_after_two_dashes_belongs_to_the_command(raising, capsys):
    raising(UsageError("never reached"))
    assert program.main(["fail", "--", "--debug"]) == 2
    assert "Traceback" not in capsys.readouterr().err
