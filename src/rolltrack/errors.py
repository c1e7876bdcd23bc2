"""What can go wrong, sorted by whose fault it is; the type decides the exit code."""

from __future__ import annotations

from typing import ClassVar


class RolltrackError(Exception):
    """Base of every error rolltrack raises on purpose.

    Args:
        what: one line that says what is wrong and where.
        hint: what the reader can do next; shown on the same line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what} {self.hint}".rstrip()


class UsageError(RolltrackError):
    """The command line or the configuration asks for something that does not exist."""

    exit_code = 2


class InputError(RolltrackError):
    """A file, a packet stream or a message cannot be used as a recording."""

    exit_code = 3


class DecodeError(InputError):
    """Bytes that are not what the sensor's specification promises: the sensor's fault."""


class SensorNotFoundError(RolltrackError):
    """No adapter, no permission, or no roller in range."""

    exit_code = 4


class BrokerError(RolltrackError):
    """The MQTT broker cannot be started or reached."""


class StoreError(RolltrackError):
    """The session store cannot be read or written."""


class StoreAwayError(StoreError):
    """A database server cannot be reached now, and may come back by itself."""
