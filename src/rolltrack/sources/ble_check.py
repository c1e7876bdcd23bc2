"""What stands between this computer and a roller: the Bluetooth part of `rolltrack doctor`."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rolltrack.errors import UsageError
from rolltrack.sources.bumble_backend import backend

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"
ADAPTERS = Path("/sys/class/bluetooth")
HUB_TIMEOUT_S = 2.0


class Check(NamedTuple):
    """One finding.

    Attributes:
        ok: whether it is as it should be.
        what: what was found.
        advice: what to do about it; empty when `ok`.
    """

    ok: bool
    what: str
    advice: str = ""


def diagnose(link: str) -> list[Check]:
    """Look at everything `link` needs; mend the first finding that is not ok first."""
    if link != "os":
        return list(_direct_link(link))
    if not sys.platform.startswith("linux"):
        return [Check(True, "Bluetooth is left to the operating system")]
    return list(_linux())


def _direct_link(link: str) -> Iterator[Check]:
    try:
        backend(link)
    except UsageError as error:
        yield Check(False, error.what, error.hint)
        return
    yield Check(True, f'The link "{link}" is understood and its driver installed')
    if not link.startswith("tcp:"):
        return
    host, _, port = link.removeprefix("tcp:").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=HUB_TIMEOUT_S).close()
    except OSError as error:
        yield Check(
            False,
            f"No Bluetooth simulator answers at {link} ({error})",
            f"Start it with: rolltrack-sim replay TRACE --ble {link}",
        )
    else:
        yield Check(True, f"The Bluetooth simulator answers at {link}")


def _linux() -> Iterator[Check]:
    adapters = sorted(entry.name for entry in ADAPTERS.glob("hci*")) if ADAPTERS.exists() else []
    if adapters:
        yield Check(True, f"Bluetooth adapter present: {', '.join(adapters)}")
    else:
        yield Check(False, "No Bluetooth adapter", "Plug one in, or use: rolltrack demo")
    yield _system_bus(os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", SYSTEM_BUS))


def _system_bus(address: str) -> Check:
    path = address.partition("path=")[2].partition(",")[0]
    if not path:
        return Check(True, f"D-Bus system bus at {address} (not tried)")
    with socket.socket(socket.AF_UNIX) as bus:
        bus.settimeout(HUB_TIMEOUT_S)
        try:
            bus.connect(path)
        except PermissionError:
            return Check(
                False,
                f"No permission to use the D-Bus system bus {path}",
                "Add yourself to the group bluetooth: sudo usermod -aG bluetooth $USER",
            )
        except OSError as error:
            return Check(
                False,
                f"No D-Bus system bus at {path} ({error.strerror or error})",
                "Start it with: sudo systemctl start dbus bluetooth",
            )
    return Check(True, f"D-Bus system bus answers at {path}")
