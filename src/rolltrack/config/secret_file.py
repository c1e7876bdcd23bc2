"""Secrets stand in files of their own, never in the configuration."""

from __future__ import annotations

from pathlib import Path

from rolltrack.errors import UsageError


def read_secret(file: str, setting: str) -> str:
    """The first line of a file.

    Raises:
        UsageError: it cannot be read, or the line is empty; names `setting`.
    """
    path = Path(file).expanduser()
    try:
        first_line = path.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise UsageError(
            f"Cannot read {setting} {path}: {reason}.", hint="Put the password on its first line."
        ) from error
    if not first_line:
        raise UsageError(
            f"The first line of {setting} {path} is empty.", hint="Put the password there."
        )
    return first_line
