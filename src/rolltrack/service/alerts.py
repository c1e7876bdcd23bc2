"""Alerts that the service raises itself: sensor lost, battery low, no room to keep sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.core.events import (
    Alert,
    AlertKind,
    BatteryLevel,
    LinkChanged,
    SessionDiscarded,
    SessionEnded,
    SessionStarted,
)

if TYPE_CHECKING:
    from rolltrack.core.events import Event
    from rolltrack.sinks.sink import Roller

BATTERY_LOW_PCT = 15
BATTERY_FINE_PCT = 20


class DeviceAlerts:
    """Follows one roller's events; each alert is raised once and cleared once."""

    def __init__(self, roller: Roller) -> None:
        self._roller = roller
        self._session_id: str | None = None
        self._open: dict[AlertKind, Alert] = {}

    def follow(self, event: Event) -> list[Alert]:
        """Alerts to be told right after `event`."""
        match event:
            case SessionStarted():
                self._session_id = event.session_id
            case SessionEnded() | SessionDiscarded():
                self._session_id = None
                return self._clear(event.t_s, "sensor_lost")
            case LinkChanged(up=True):
                return self._clear(event.t_s, "sensor_lost")
            case LinkChanged(up=False) if self._session_id is not None:
                return self._raise(event.t_s, "sensor_lost")
            case BatteryLevel() if event.percent < BATTERY_LOW_PCT:
                return self._raise(event.t_s, "battery_low", event.percent, BATTERY_LOW_PCT, "%")
            case BatteryLevel() if event.percent >= BATTERY_FINE_PCT:
                return self._clear(event.t_s, "battery_low")
        return []

    def room(self, t_s: float, *, full: bool) -> list[Alert]:
        """Alerts that follow from whether sessions can be kept."""
        return self._raise(t_s, "store_full") if full else self._clear(t_s, "store_full")

    def _raise(
        self,
        t_s: float,
        kind: AlertKind,
        value: float | None = None,
        limit: float | None = None,
        unit: str = "",
    ) -> list[Alert]:
        if kind in self._open:
            return []
        raised_ms = round((self._roller.epoch_unix_s + t_s) * 1000)
        alert_id = f"{self._roller.id}-{kind}-{raised_ms}"
        alert = Alert(t_s, self._session_id, alert_id, kind, "raised", value, limit, unit)
        self._open[kind] = alert
        return [alert]

    def _clear(self, t_s: float, kind: AlertKind) -> list[Alert]:
        raised = self._open.pop(kind, None)
        if raised is None:
            return []
        cleared = Alert(
            t_s,
            raised.session_id,
            raised.alert_id,
            kind,
            "cleared",
            raised.value,
            raised.limit,
            raised.unit,
        )
        return [cleared]
