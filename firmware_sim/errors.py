"""What can go wrong in the simulator; the command line turns the type into an exit code."""

from __future__ import annotations

from typing import ClassVar


class SimError(Exception):
    """Base of every error raised on purpose; the text says what, where and what to do next."""

    exit_code: ClassVar[int] = 1


class UsageError(SimError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class InputError(SimError):
    """A trace or a scenario cannot be used."""

    exit_code = 3
