import os
import socket
import subprocess
import sys

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from rolltrack.errors import SensorNotFoundError, UsageError
from rolltrack.sources.ble_check import diagnose
from rolltrack.sources.ble_errors import not_available
from rolltrack.sources.ble_link import BleLink


def missing(reason: BleakBluetoothNotAvailableReason) -> BleakBluetoothNotAvailableError:
    return BleakBluetoothNotAvailableError("bleak's words.", reason)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FileNotFoundError(2, "No such file or directory"), "D-Bus"),
        (ConnectionRefusedError(111, "Connection refused"), "D-Bus"),
        (PermissionError(13, "Permission denied"), "usermod -aG bluetooth"),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["x"]), "bluetoothd"),
        (BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["x"]), "No permission"),
        (missing(BleakBluetoothNotAvailableReason.NO_BLUETOOTH), "No Bluetooth adapter"),
        (missing(BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE), "Low Energy"),
        (missing(BleakBluetoothNotAvailableReason.POWERED_OFF), "switched off"),
        (missing(BleakBluetoothNotAvailableReason.DENIED_BY_USER), "No permission"),
        (missing(BleakBluetoothNotAvailableReason.UNKNOWN), "bleak's words"),
        (BleakError("org.bluez.Error.Odd"), "org.bluez.Error.Odd"),
    ],
)
def test_every_way_to_have_no_bluetooth_says_what_to_do(error, says):
    explained = not_available("os", error)
    assert isinstance(explained, SensorNotFoundError)
    assert says in str(explained)
    assert explained.hint
    assert "\n" not in str(explained)


def test_a_missing_simulator_names_the_command_that_starts_it():
    text = str(not_available("tcp:127.0.0.1:6402", ConnectionRefusedError()))
    assert "rolltrack-sim replay TRACE --ble tcp:127.0.0.1:6402" in text


@pytest.mark.parametrize(
    "link", ["", "bluetooth", "tcp:", "tcp:host", "tcp:host:0", "tcp:host:99999", "tcp::1", "usb:"]
)
def test_what_is_no_link_is_a_usage_error(link):
    with pytest.raises(UsageError, match="tcp:HOST:PORT"):
        BleLink(link)


def test_without_bumble_the_missing_extra_is_named():
    code = (
        "import sys; sys.modules['bumble'] = None\n"
        "from rolltrack.sources.ble_link import BleLink\n"
        "BleLink('os')\n"
        "try: BleLink('tcp:127.0.0.1:1')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("UsageError")
    assert "pip install 'rolltrack[sim]'" in said.stdout


def test_the_operating_systems_link_does_not_import_bumble():
    code = (
        "import sys\n"
        "import rolltrack.sources.ble\n"
        "rolltrack.sources.ble_link.BleLink('os')\n"
        "print(any(name.split('.')[0] == 'bumble' for name in sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="D-Bus is Linux's")
def test_diagnose_finds_a_missing_bus(monkeypatch, tmp_path):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    bad = [check for check in diagnose("os") if "D-Bus" in check.what]
    assert [check.ok for check in bad] == [False]
    assert "systemctl start" in bad[0].advice


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="D-Bus is Linux's")
def test_diagnose_finds_a_bus_that_answers(monkeypatch, tmp_path):
    path = os.fspath(tmp_path / "bus")
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(path)
        bus.listen()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={path},guid=00")
        found = [check for check in diagnose("os") if "D-Bus" in check.what]
    assert [check.ok for check in found] == [True]


def test_diagnose_tells_whether_the_simulator_is_there():
    with socket.create_server(("127.0.0.1", 0)) as hub:
        link = f"tcp:127.0.0.1:{hub.getsockname()[1]}"
        assert all(check.ok for check in diagnose(link))
    last = diagnose(link)[-1]
    assert not last.ok
    assert "rolltrack-sim replay" in last.advice


def test_diagnose_names_a_link_that_is_none():
    (check,) = diagnose("tooth")
    assert not check.ok
    assert "tcp:HOST:PORT" in check.advice
