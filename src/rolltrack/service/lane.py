"""One roller's way through the service: its items -> its Tracker -> what the sinks get."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from rolltrack.core.events import BatteryLevel, Event, LinkChanged
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.core.tracker import Setup, Tracker
from rolltrack.errors import InputError
from rolltrack.service.alerts import DeviceAlerts
from rolltrack.service.complaints import Complaints
from rolltrack.sources.source import TimePassed

if TYPE_CHECKING:
    from rolltrack.core.events import EndReason
    from rolltrack.service.identity import Admission
    from rolltrack.sinks.sink import Outgoing
    from rolltrack.sources.source import Item, Sensor


class Lane:
    """Takes one sensor's items; a fault in here stops neither this roller nor any other."""

    def __init__(self, sensor: Sensor, admission: Admission, *, idle_s: float) -> None:
        self.roller = admission.roller
        self._sensor = sensor
        self._admission = admission
        self._idle_s = idle_s
        self._tracker = self._new_tracker()
        self._alerts = DeviceAlerts(self.roller)
        self._complaints = Complaints(f'roller "{self.roller.id}"')

    def take(self, item: Item) -> list[Outgoing]:
        """Everything that `item` leads to, readings themselves included; oldest first."""
        events = self._with_alerts(self._track(item))
        return [item, *events] if isinstance(item, ImuSamples | SignalGap) else [*events]

    def finish(self, end: EndReason) -> list[Event]:
        """Close the open stroke and session."""
        try:
            return self._with_alerts(self._tracker.finish(end))
        except Exception as fault:  # noqa: BLE001  # the other rollers' sessions come next
            self._complaints.report(fault)
            return []

    def _track(self, item: Item) -> list[Event]:
        try:
            match item:
                case LinkChanged() | BatteryLevel():
                    return [item]
                case TimePassed():
                    return self._tracker.advance(item.t_s)
                case _:
                    return self._tracker.feed(item)
        except InputError as fault:
            self._complaints.report(fault)
            return []
        except Exception as fault:  # noqa: BLE001  # one roller's fault is not the others'
            self._complaints.report(fault)
            return self._start_over()

    def _start_over(self) -> list[Event]:
        """Save what the broken tracker can still tell, and go on with a new one."""
        broken, self._tracker = self._tracker, self._new_tracker()
        try:
            return broken.finish("recovered")
        except Exception as fault:  # noqa: BLE001  # nothing more can be saved
            self._complaints.report(fault)
            return []

    def _new_tracker(self) -> Tracker:
        roller = self.roller
        setup = Setup(
            roller=roller.id,
            athlete=roller.athlete,
            protocol=self._admission.protocol,
            radius_m=roller.radius_m,
            region=roller.region,
            epoch_unix_s=roller.epoch_unix_s,
            id_salt=secrets.token_bytes(16),
            axle=self._sensor.axle,
            idle_s=self._idle_s,
        )
        return Tracker(setup)

    def _with_alerts(self, events: list[Event]) -> list[Event]:
        told: list[Event] = []
        for event in events:
            told += [event, *self._alerts.follow(event)]
        return told
