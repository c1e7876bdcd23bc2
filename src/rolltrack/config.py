"""The configuration: one TOML file, read into frozen structs; defaults are safe and need no file at all."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import tomli_w

from rolltrack.errors import UsageError

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
Id: TypeAlias = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
PositiveFloat: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]

RESERVED_ROLLER_IDS = frozenset({"session", "receipt", "last-session"})


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; unknown keys are errors."""


class BleConfig(_Section):
    """How to reach Bluetooth.

    Attributes:
        enabled: listen for rollers.
        link: "os" for the computer's adapter, "tcp:HOST:PORT" for the simulator's hub,
            "usb:0" or "serial:/dev/ttyACM0" for an adapter driven directly.
        rate_hz: sampling rate to ask for.
        discover: accept rollers that no [[rollers]] entry names.
    """

    enabled: bool = True
    link: str = "os"
    rate_hz: Annotated[int, msgspec.Meta(ge=10, le=1000)] = 100
    discover: bool = True


class PhoneConfig(_Section):
    """HTTP end point for Sensor Logger's push.

    Attributes:
        enabled: listen at all.
        host: address to listen on; anything but loopback needs a token.
        port: TCP port, 0 for any free one.
        token_file: file whose first line every request must carry (as `?token=` or bearer token).
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Port = 8712
    token_file: str | None = None


class MqttConfig(_Section):
    """Where to publish.

    Attributes:
        enabled: publish at all.
        broker: "host", "host:port", or "embedded" to start one on this machine's loopback.
        username: user name, if the broker wants one.
        password_file: file whose first line is the password.
    """

    enabled: bool = True
    broker: str = "embedded"
    username: str | None = None
    password_file: str | None = None


class StoreConfig(_Section):
    """Where sessions are kept.

    Attributes:
        path: SQLite file; "~" is the home directory.
    """

    path: str = "~/.local/share/rolltrack/rolltrack.db"


class SessionConfig(_Section):
    """What makes a session.

    Attributes:
        idle_s: stillness that ends one.
    """

    idle_s: PositiveFloat = 60.0


class RecordConfig(_Section):
    """Raw recordings of everything received.

    Attributes:
        folder: where to write traces, one per sensor and start; unset writes none.
    """

    folder: str | None = None


class RollerConfig(_Section):
    """One known roller.

    Attributes:
        id: its public id.
        athlete: pseudonymous id of who uses it.
        sensor: "ble:ADDRESS", "serial:NUMBER", "name:NAME", "phone:DEVICE" or "trace:NAME"; unset matches any.
        radius_m: rolling radius; unset takes what the sensor says, else `default_radius_m`.
        region: what is rolled with it.
        protocol: id or file of a rolling protocol; unset takes the global one.
    """

    id: Id
    athlete: Id = "me"
    sensor: str | None = None
    radius_m: PositiveFloat | None = None
    region: str = ""
    protocol: str | None = None


class Config(_Section):
    """Everything `rolltrack run` can be told.

    Attributes:
        site: id of this installation in MQTT topics.
        athlete: who uses rollers that no entry names.
        protocol: id or file of the rolling protocol.
        default_radius_m: rolling radius when neither the roller's entry nor the sensor says one.
    """

    site: Id = "home"
    athlete: Id = "me"
    protocol: str = "slow-release"
    default_radius_m: PositiveFloat = 0.075
    ble: BleConfig = BleConfig()
    phone: PhoneConfig = PhoneConfig()
    mqtt: MqttConfig = MqttConfig()
    store: StoreConfig = StoreConfig()
    session: SessionConfig = SessionConfig()
    record: RecordConfig = RecordConfig()
    rollers: tuple[RollerConfig, ...] = ()
