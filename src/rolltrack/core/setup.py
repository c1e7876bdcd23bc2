"""Who rolls what, and how it is judged: all that a tracker is told before the first reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rolltrack.core.coaching.protocol import RollingProtocol
    from rolltrack.core.intake import Sensors
    from rolltrack.core.motion.shapes import Shape


@dataclass(frozen=True, slots=True)
class Setup:
    """What does not change while a tracker lives.

    Attributes:
        roller: its public id.
        athlete: pseudonymous id of the person.
        protocol: what to keep to.
        radius_m: rolling radius.
        shape: what is rolled.
        region: what is rolled.
        epoch_unix_s: Unix time of stream second 0.
        id_salt: randomness for session ids, drawn by the caller.
        axle: direction of the axle in the sensor's axes as the sensor knows it; None finds it from
            the data.
        sensors: which readings to use; "auto" takes what there is.
        idle_s: stillness that ends a session; None leaves that to `finish`.
        start_at_once: open a session with the first reading instead of with motion.
        live: say live speeds, alerts and prompt strokes; off, only `SessionEnded` and `FinalSpeed`
            come.
        keep_series: say the final speed of every reading.
    """

    roller: str
    athlete: str
    protocol: RollingProtocol
    radius_m: float
    shape: Shape = "roller"
    region: str = ""
    epoch_unix_s: float = 0.0
    id_salt: bytes = b""
    axle: tuple[float, float, float] | None = None
    sensors: Sensors = "auto"
    idle_s: float | None = 120.0
    start_at_once: bool = False
    live: bool = True
    keep_series: bool = False
