"""mosquitto on loopback."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Packages put it where an ordinary user's PATH does not look.
FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")

CONFIGURATION = """\
# Loopback only, which is why nobody has to log in.
listener {port} {host}
allow_anonymous true
persistence false
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
"""


def find() -> str | None:
    """Return the path of the installed mosquitto, None without one."""
    places = os.pathsep.join([os.environ.get("PATH", ""), *FOLDERS])
    return shutil.which("mosquitto", path=places)


def command(folder: Path, host: str, port: int) -> list[str]:
    """Write a configuration into the folder; return the command that runs with it."""
    file = folder / "mosquitto.conf"
    file.write_text(CONFIGURATION.format(host=host, port=port), encoding="utf-8")
    return [find() or "mosquitto", "-c", str(file)]
