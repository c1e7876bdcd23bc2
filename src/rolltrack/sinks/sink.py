"""Where events go. The service gives every sink its own bounded queue and task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from rolltrack.core.events import Event
from rolltrack.core.sample import ImuSamples, SignalGap

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Roller:
    """A sensor as its users know it.

    Attributes:
        id: the roller's public id (`^[a-z0-9][a-z0-9-]{0,31}$`).
        athlete: pseudonymous id of the person.
        region: what is being rolled, for example "calf-left"; may be empty.
        radius_m: rolling radius in use.
        epoch_unix_s: Unix time of stream second 0.
        sensor: what the sensor calls itself, for people.
        limit_mps: what is too fast; None when not known.
    """

    id: str
    athlete: str
    region: str
    radius_m: float
    epoch_unix_s: float
    sensor: str = ""
    limit_mps: float | None = None


Outgoing: TypeAlias = Event | ImuSamples | SignalGap

Gauges: TypeAlias = "dict[str, Callable[[], int]]"
"""Name -> how to read a figure that tells how the service fares."""


class Sink(Protocol):
    """Something that takes events.

    A fault inside a sink is its own business: log it, recover, lose nothing finished.
    """

    name: str
    wants_samples: bool

    async def open(self) -> None:
        """Get ready; a missing peer (a dead broker) is no error, a wrong configuration is."""
        ...

    async def handle(self, roller: Roller, outgoing: Outgoing) -> None:
        """Take one event; `ImuSamples` and `SignalGap` only come when `wants_samples` is set."""
        ...

    async def close(self) -> None:
        """Bring everything taken so far to safety, within a few seconds."""
        ...
