"""`python -m rolltrack.broker.guard COMMAND…`: runs a command that ends when we do.

The parent holds the other end of standard input. It closes when the parent ends, even by SIGKILL,
on every Unix and whatever user the command turns itself into.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 2.0


def when_parent_ends(act: Callable[[], object]) -> None:
    """Call `act`, in a thread, once standard input is at its end."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):  # unbuffered: a lock held here would spoil exit
            pass
        act()

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def main(command: list[str]) -> int:
    """Run the command; return its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command

    def end() -> None:
        child.terminate()
        try:
            child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()

    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    when_parent_ends(end)
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
