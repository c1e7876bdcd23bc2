"""Why Bluetooth cannot be used here, in one line that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakDBusError,
)
from bleak.exc import BleakBluetoothNotAvailableReason as Reason

from rolltrack.errors import SensorNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

SIMULATOR_HINT = "Without Bluetooth, try the simulator: rolltrack demo"

_NO_BUS = (
    "Bluetooth is not running here (no D-Bus system bus).",
    f"Start it with: sudo systemctl start dbus bluetooth. {SIMULATOR_HINT}",
)
_NO_DAEMON = (
    "The Bluetooth service (bluetoothd) is not running.",
    "Install the package bluez and start it with: sudo systemctl start bluetooth",
)
_DENIED = (
    "No permission to use Bluetooth.",
    "Linux: sudo usermod -aG bluetooth $USER, then log in again; macOS, Windows: privacy settings",
)
_NO_ADAPTER = ("No Bluetooth adapter found.", f"Plug one in. {SIMULATOR_HINT}")
_NO_LOW_ENERGY = (
    "The Bluetooth adapter does not do Bluetooth Low Energy.",
    "Use an adapter for Bluetooth 4.0 or later",
)
_OFF = (
    "Bluetooth is switched off.",
    "Switch it on (Linux: rfkill unblock bluetooth && bluetoothctl power on)",
)

_BY_REASON: Mapping[Reason, tuple[str, str]] = {
    Reason.NO_BLUETOOTH: _NO_ADAPTER,
    Reason.NO_BLE_CENTRAL_ROLE: _NO_LOW_ENERGY,
    Reason.POWERED_OFF: _OFF,
    Reason.DENIED_BY_USER: _DENIED,
    Reason.DENIED_BY_SYSTEM: _DENIED,
    Reason.DENIED_BY_UNKNOWN: _DENIED,
}
_BY_DBUS_ERROR: Mapping[str, tuple[str, str]] = {
    "org.freedesktop.DBus.Error.ServiceUnknown": _NO_DAEMON,
    "org.freedesktop.DBus.Error.NameHasNoOwner": _NO_DAEMON,
    "org.freedesktop.DBus.Error.AccessDenied": _DENIED,
    "org.bluez.Error.NotReady": _OFF,
}


def not_available(link: str, error: Exception) -> SensorNotFoundError:
    """What an error of opening `link` means to its user."""
    what, hint = _explain_os(error) if link == "os" else _explain_direct(link, error)
    return SensorNotFoundError(what, hint=hint)


def _explain_os(error: Exception) -> tuple[str, str]:
    known: tuple[str, str] | None = None
    if isinstance(error, BleakBluetoothNotAvailableError):
        known = _BY_REASON.get(error.reason)
    elif isinstance(error, BleakDBusError):
        known = _BY_DBUS_ERROR.get(error.dbus_error)
    elif isinstance(error, PermissionError):
        known = _DENIED
    elif isinstance(error, FileNotFoundError | ConnectionRefusedError):
        known = _NO_BUS
    return known or (f"Bluetooth cannot be used: {_text(error)}.", "Run: rolltrack doctor")


def _explain_direct(link: str, error: Exception) -> tuple[str, str]:
    if link.startswith("tcp:"):
        return (
            f"No Bluetooth simulator answers at {link}.",
            f"Start it with: rolltrack-sim replay TRACE --ble {link}",
        )
    return (
        f"The Bluetooth adapter {link} cannot be opened: {_text(error.__cause__ or error)}.",
        "Check that it is plugged in, that you may use the device, and that nothing else does",
    )


def _text(error: BaseException) -> str:
    first = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
    return first.rstrip(".") or type(error).__name__
