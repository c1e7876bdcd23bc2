"""Where readings come from: sources deliver items of sensors until cancelled or exhausted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from rolltrack.core.events import BatteryLevel, LinkChanged
from rolltrack.core.sample import ImuSamples, SignalGap

SensorKind: TypeAlias = Literal["ble", "phone", "imu", "trace"]


@dataclass(frozen=True, slots=True)
class Sensor:
    """Who is speaking, and what it says about itself.

    Attributes:
        kind: which source it came through.
        sensor_id: stable over reconnects: serial number or address, a phone's device id, the
            roller's id in a topic, a trace's name.
        name: what the maker or owner calls it; not unique.
        epoch_unix_s: Unix time of stream second 0 of this source; another one once the sensor's own
            clock was set. A session keeps the one it began with.
        radius_m: rolling radius stored in the sensor or trace, None when it does not say.
        axle: unit vector of the axle in the sensor's axes, None when it does not say.
        address: Bluetooth address, where the serial number is the `sensor_id`; may be empty.
    """

    kind: SensorKind
    sensor_id: str
    name: str
    epoch_unix_s: float
    radius_m: float | None = None
    axle: tuple[float, float, float] | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Stream time went on without readings; sent about once a second while a sensor is silent."""

    t_s: float


Item: TypeAlias = ImuSamples | SignalGap | TimePassed | LinkChanged | BatteryLevel
Deliver: TypeAlias = Callable[[Sensor, Item], None]


class Source(Protocol):
    """Something that delivers items; `deliver` is quick, never raises, and is for the loop only."""

    name: str

    async def run(self, deliver: Deliver) -> None:
        """Deliver until cancelled, or return when there is nothing more to come.

        Items of one sensor are in stream-time order. Faults of a sensor or link are handled here
        (reconnect, `SignalGap`, a log line); only what makes the whole source useless is raised, as
        a RolltrackError.
        """
        ...
