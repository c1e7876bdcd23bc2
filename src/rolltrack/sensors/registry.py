"""Which decoder reads which sensor; a new Bluetooth sensor is one line here."""

from __future__ import annotations

from typing import Final

from rolltrack.sensors.decoders import roller_v1

BLUETOOTH: Final = {
    roller_v1.SERVICE_UUID: roller_v1.RollerV1Decoder,
}
"""Advertised service -> decoder."""

SERVICE_UUIDS: Final = tuple(BLUETOOTH)
"""What to scan for."""
