"""One roller's way through the service: its items -> its Tracker -> what the sinks get."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from rolltrack.core.calibration import LiveRoll
from rolltrack.core.events import BatteryLevel, Event, LinkChanged
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker
from rolltrack.errors import InputError, UsageError
from rolltrack.service.alerts import DeviceAlerts
from rolltrack.service.complaints import Complaints
from rolltrack.service.room import Room
from rolltrack.sources.source import TimePassed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolltrack.core.calibration import Calibration
    from rolltrack.core.events import EndReason
    from rolltrack.service.identity import Admission
    from rolltrack.sinks.sink import Outgoing
    from rolltrack.sources.source import Item, Sensor


class Lane:
    """Takes one sensor's items; a fault in here stops neither this roller nor any other."""

    def __init__(
        self, sensor: Sensor, admission: Admission, *, idle_s: float, room: Room | None = None
    ) -> None:
        self.roller = admission.roller
        self._shift_s = 0.0
        self._sensor = sensor
        self._admission = admission
        self._idle_s = idle_s
        self._room = room or Room()
        self._tracker = self._new_tracker()
        self._linked = True
        self._roll: LiveRoll | None = None
        self._tell_roll: Callable[[Calibration | InputError], None] = lambda _: None
        self._alerts = DeviceAlerts(self.roller)
        self._complaints = Complaints(f'roller "{self.roller.id}"')

    def take(self, item: Item) -> list[Outgoing]:
        """Everything that `item` leads to, readings themselves included; oldest first."""
        if self._shift_s and not self._tracker.in_session:
            self._set_epoch()
        events: list[Event] = []
        if isinstance(item, ImuSamples) and len(item):
            events += self._alerts.room(float(item.t_s[-1]), full=self._room.full)
        events += self._with_alerts(self._track(item))
        return [item, *events] if isinstance(item, ImuSamples | SignalGap) else [*events]

    def hurry(self, *, hurried: bool) -> None:
        """Say live speed less often, or as often as usual."""
        self._tracker.hurried = hurried

    def meet(self, sensor: Sensor) -> None:
        """Take the sensor's word on itself; one whose clock was set has another epoch."""
        if shift_s := sensor.epoch_unix_s - self._sensor.epoch_unix_s:
            self.set_clock(shift_s)
        self._sensor = sensor

    def set_clock(self, shift_s: float) -> None:
        """The wall clock was set; a session under way keeps the times it began with."""
        self._shift_s += shift_s

    def finish(self, end: EndReason) -> list[Event]:
        """Close the open stroke and session."""
        self._end_roll(InputError("the service has stopped.", hint="Send calibrate again."))
        try:
            return self._with_alerts(self._tracker.finish(end))
        except Exception as fault:  # noqa: BLE001  # the other rollers' sessions come next
            self._complaints.report(fault)
            return []

    @property
    def setup(self) -> Setup:
        """How the roller's sessions are judged now."""
        return self._tracker.setup

    @property
    def calibrating(self) -> bool:
        """Whether readings are a calibration's and no session's."""
        return self._roll is not None

    def start(self) -> list[Event]:
        """Open a session now, unless one is open.

        Raises:
            UsageError: the roller cannot have one now.
        """
        self._need_readings()
        if self._room.full and not self._tracker.in_session:
            raise UsageError("there is no room to keep sessions.", hint="Free some disk space.")
        return self._with_alerts(self._tracker.start())

    def stop(self) -> list[Event]:
        """End the open session, or the roll of a calibration; motion may open the next session."""
        if self._roll is not None:
            self._evaluate(self._roll)
            return []
        return self._with_alerts(self._tracker.finish("user"))

    def set_limit(self, limit_mps: float) -> list[Event]:
        """Judge by another speed limit for as long as the service runs."""
        events = self._tracker.set_limit(limit_mps)
        self._admission = replace(self._admission, protocol=self._tracker.setup.protocol)
        self.roller = replace(self.roller, limit_mps=limit_mps)
        return self._with_alerts(events)

    def calibrate(
        self, distance_m: float, tell: Callable[[Calibration | InputError], None]
    ) -> None:
        """Take the next roll for one over this distance, and its radius from then on.

        Until `tell` has got the outcome, readings are no session's.

        Raises:
            UsageError: the roller cannot be calibrated now.
        """
        self._need_readings()
        if self._tracker.in_session:
            raise UsageError("a session is under way.", hint="Send stop first, then calibrate.")
        if self._admission.shape != "roller":
            raise UsageError(
                "only rollers can be calibrated by rolling.",
                hint="Measure the ball, and put radius_m into its [[rollers]] entry.",
            )
        self._roll, self._tell_roll = LiveRoll(self._tracker.setup, distance_m), tell

    def _need_readings(self) -> None:
        if self._roll is not None:
            raise UsageError("a calibration is under way.", hint="Send stop to end it.")
        if not self._linked:
            raise UsageError("the roller is not connected.", hint="Switch it on, and come closer.")

    def _track(self, item: Item) -> list[Event]:
        try:
            match item:
                case LinkChanged() | BatteryLevel():
                    self._linked = item.up if isinstance(item, LinkChanged) else self._linked
                    return [item]
                case _ if self._roll is not None:
                    return self._collect(self._roll, item)
                case TimePassed():
                    return self._tracker.advance(item.t_s)
                case _:
                    begins_none = self._room.full and not self._tracker.in_session
                    return [] if begins_none else self._tracker.feed(item)
        except InputError as fault:
            self._complaints.report(fault)
            return []
        except Exception as fault:  # noqa: BLE001  # one roller's fault is not the others'
            self._complaints.report(fault)
            return self._start_over()

    def _collect(self, roll: LiveRoll, item: ImuSamples | SignalGap | TimePassed) -> list[Event]:
        try:
            if isinstance(item, TimePassed):
                roll.wait(item.t_s)
            elif found := roll.take(item):
                self._end_roll(found)
        except InputError as fault:
            self._end_roll(fault)
        return []

    def _evaluate(self, roll: LiveRoll) -> None:
        try:
            self._end_roll(roll.result())
        except InputError as fault:
            self._end_roll(fault)

    def _end_roll(self, outcome: Calibration | InputError) -> None:
        if self._roll is None:
            return
        self._roll = None
        if not isinstance(outcome, InputError):
            self._tracker.set_radius(outcome.radius_m)
            self.roller = replace(self.roller, radius_m=outcome.radius_m)
        self._tell_roll(outcome)

    def _start_over(self) -> list[Event]:
        """Save what the broken tracker can still tell, and go on with a new one."""
        self._end_roll(InputError("a fault ended the roll.", hint="Send calibrate again."))
        broken = self._tracker
        self._replace_tracker(self._new_tracker())
        try:
            return broken.finish("recovered")
        except Exception as fault:  # noqa: BLE001  # nothing more can be saved
            self._complaints.report(fault)
            return []

    def _set_epoch(self) -> None:
        epoch_unix_s = self.roller.epoch_unix_s + self._shift_s
        self._shift_s = 0.0
        self.roller = replace(self.roller, epoch_unix_s=epoch_unix_s)
        # A recording that is sent again would give its sessions the ids they had the first time.
        setup = replace(
            self._tracker.setup, epoch_unix_s=epoch_unix_s, id_salt=secrets.token_bytes(16)
        )
        self._replace_tracker(Tracker.restore(setup, self._tracker.state))

    def _replace_tracker(self, tracker: Tracker) -> None:
        tracker.hurried = self._tracker.hurried
        self._tracker = tracker

    def _new_tracker(self) -> Tracker:
        roller = self.roller
        setup = Setup(
            roller=roller.id,
            athlete=roller.athlete,
            protocol=self._admission.protocol,
            radius_m=roller.radius_m,
            shape=self._admission.shape,
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
