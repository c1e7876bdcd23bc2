"""Sensor -> roller: which [[rollers]] entry, whose, how big, under which protocol."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolltrack.core.motion.radius import is_radius
from rolltrack.protocols import load_protocol
from rolltrack.sinks.sink import Roller

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolltrack.config import Config, RollerConfig
    from rolltrack.core.coaching.protocol import RollingProtocol
    from rolltrack.core.motion.shapes import Shape
    from rolltrack.sources.source import Sensor

log = logging.getLogger("rolltrack.service")


@dataclass(frozen=True, slots=True)
class Admission:
    """What a sensor is known as, and what it is judged by."""

    roller: Roller
    protocol: RollingProtocol
    shape: Shape = "roller"


class Register:
    """Gives every sensor its roller. The first sensor that an entry fits keeps that entry.

    Args:
        config: its `rollers` are the known ones.
        radius_m: rolling radius for all, whatever entries and sensors say.

    Raises:
        UsageError: a protocol that the configuration names does not exist.
    """

    def __init__(self, config: Config, *, radius_m: float | None = None) -> None:
        self._config = config
        self._radius_m = radius_m
        self._taken: set[str] = set()
        names = {config.protocol, *(each.protocol or config.protocol for each in config.rollers)}
        self._protocols = {name: load_protocol(name) for name in names}

    def admit(self, sensor: Sensor) -> Admission | None:
        """Decide once who `sensor` is; None: it is refused, and the log says why."""
        label = describe(sensor)
        naming = [
            each
            for each in self._config.rollers
            if (each.sensor and fits(each.sensor, sensor)) or is_called(each.id, sensor)
        ]
        free = [each for each in naming if each.id not in self._taken]
        if naming and not free:
            log.warning(
                '%s is refused: roller "%s" is in use by another sensor. '
                "Name it more closely in [[rollers]], for example by its serial number.",
                label,
                naming[0].id,
            )
            return None
        if len(free) > 1:
            log.warning(
                '%s fits the entries %s of [[rollers]]; it is "%s".',
                label,
                " and ".join(f'"{each.id}"' for each in free),
                free[0].id,
            )
        entry = free[0] if free else self._any_sensor_entry()
        if entry is None and sensor.kind == "ble" and not self._config.ble.discover:
            log.warning("%s is refused: no entry of [[rollers]] names it.", label)
            return None
        admission = self._admit_as(entry, sensor)
        self._taken.add(admission.roller.id)
        return admission

    def _any_sensor_entry(self) -> RollerConfig | None:
        entries = self._config.rollers
        return next((e for e in entries if not e.sensor and e.id not in self._taken), None)

    def _admit_as(self, entry: RollerConfig | None, sensor: Sensor) -> Admission:
        config = self._config
        protocol = self._protocols[(entry and entry.protocol) or config.protocol]
        roller = Roller(
            id=entry.id if entry else self._free_id(sensor),
            athlete=(entry and entry.athlete) or config.athlete,
            region=entry.region if entry else "",
            radius_m=self._radius_m
            or (entry and entry.radius_m)
            or _said_radius_m(sensor)
            or config.default_radius_m,
            epoch_unix_s=sensor.epoch_unix_s,
            sensor=_plain(sensor.name or sensor.sensor_id),
            limit_mps=protocol.max_stroke_speed_mps,
        )
        log.info(
            '%s is roller "%s", radius %.1f mm', describe(sensor), roller.id, roller.radius_m * 1000
        )
        return Admission(roller, protocol, entry.shape if entry else "roller")

    def _free_id(self, sensor: Sensor) -> str:
        reserved = self._taken | {each.id for each in self._config.rollers}
        if sensor.kind == "imu" and sensor.sensor_id not in reserved:
            return sensor.sensor_id
        digest = hashlib.sha256(f"{sensor.kind}:{sensor.sensor_id}".encode()).hexdigest()
        return next(
            roller_id
            for roller_id in (f"rt-{digest[:length]}" for length in range(6, 29))
            if roller_id not in reserved
        )


def _said_radius_m(sensor: Sensor) -> float | None:
    if sensor.radius_m is None or is_radius(sensor.radius_m):
        return sensor.radius_m
    log.warning(
        "%s says a radius of %g mm, which no roller has; put radius_m into its [[rollers]] entry.",
        describe(sensor),
        1000 * sensor.radius_m,
    )
    return None


def describe(sensor: Sensor) -> str:
    """Name a sensor for the log; what came over the air must not write to the terminal."""
    return f"{sensor.kind} sensor {_plain(sensor.name or '?')} ({_plain(sensor.sensor_id)})"


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def fits(selector: str, sensor: Sensor) -> bool:
    """Whether a `sensor = "KIND:WHICH"` entry means this sensor."""
    kind, _, which = selector.partition(":")
    if kind == "name":
        return sensor.name == which
    if kind in ("ble", "serial"):
        own = (sensor.sensor_id.casefold(), sensor.address.casefold())
        return sensor.kind == "ble" and which.casefold() in own
    return sensor.kind == kind and sensor.sensor_id == which


def is_called(roller_id: str, sensor: Sensor) -> bool:
    """Whether a sensor calls itself by a roller's own id, as publishers of raw readings do."""
    return sensor.kind == "imu" and sensor.sensor_id == roller_id


def wanted_sensor(config: Config) -> Callable[[str], bool]:
    """Which serial numbers, addresses or names are worth a Bluetooth connection."""
    selectors = [each.sensor for each in config.rollers]
    if config.ble.discover or None in selectors:
        return lambda _: True
    known = {each.partition(":")[2].casefold() for each in selectors if each}
    return lambda called: called.casefold() in known
