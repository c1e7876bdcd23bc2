"""What can be set, as frozen structs; every default is safe, so no file is needed at all."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from rolltrack.core.motion.radius import LEAST_RADIUS_M, MOST_RADIUS_M

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
PREFIX_PATTERN = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"
SELECTOR_PATTERN = r"^(ble|serial|name|phone|trace):.+$"
Id: TypeAlias = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
Radius: TypeAlias = Annotated[float, msgspec.Meta(ge=LEAST_RADIUS_M, le=MOST_RADIUS_M)]
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Selector: TypeAlias = Annotated[str, msgspec.Meta(pattern=SELECTOR_PATTERN)]

RESERVED_ROLLER_IDS = frozenset({"session", "receipt", "last-session"})
"""Topic segments that stand where a roller's id stands."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; unknown keys are errors."""


class BleConfig(Section, frozen=True):
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


class PhoneConfig(Section, frozen=True):
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


class MqttConfig(Section, frozen=True):
    """Where to publish.

    Attributes:
        enabled: publish at all.
        broker: "host", "host:port", or "embedded" to start one on this machine's loopback.
        protocol: MQTT version; "auto" tries 5 first and falls back to 3.1.1.
        username: user name, if the broker wants one.
        password_file: file whose first line is the password.
        receipts: send each session until an archive says that it is stored; without, the broker's
            acknowledgement is enough, and this machine's store is the archive.
        imu: take raw readings that phones and remote sensors publish on imu/{shard}/{roller}.
        home_assistant: announce rollers to Home Assistant, so that it shows them by itself.
        discovery_prefix: where Home Assistant looks for announcements.
        tls: encrypt, and accept only a broker whose certificate is in order.
        ca_file: certificates to trust (PEM); unset trusts those of the system.
        certificate_file: our own certificate (PEM), if the broker wants one.
        key_file: its private key (PEM); unset takes it from `certificate_file`.
    """

    enabled: bool = True
    broker: str = "embedded"
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    username: str | None = None
    password_file: str | None = None
    receipts: bool = False
    imu: bool = False
    home_assistant: bool = True
    discovery_prefix: Annotated[str, msgspec.Meta(pattern=PREFIX_PATTERN)] = "homeassistant"
    tls: bool = False
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None


class StoreConfig(Section, frozen=True):
    """Where sessions are kept.

    Attributes:
        path: SQLite file; "~" is the home directory.
    """

    path: str = "~/.local/share/rolltrack/rolltrack.db"


class ArchiveConfig(Section, frozen=True):
    """The coach's archive of a whole site.

    Attributes:
        database: SQLite file, or "postgresql://USER@HOST/DATABASE" without a password.
        database_password_file: file whose first line is the password for PostgreSQL.
        name: what it is called in receipts and at the broker; unset makes one of this machine
            and the database.
        site: whose sessions; unset takes the global one.
    """

    database: str = "~/.local/share/rolltrack/archive.db"
    database_password_file: str | None = None
    name: Id | None = None
    site: Id | None = None


class SessionConfig(Section, frozen=True):
    """What makes a session.

    Attributes:
        idle_s: stillness that ends one.
    """

    idle_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 120.0


class RecordConfig(Section, frozen=True):
    """Raw recordings of everything received.

    Attributes:
        folder: where to write traces, one per sensor and start; unset writes none.
    """

    folder: str | None = None


class RollerConfig(Section, frozen=True):
    """One known roller.

    Attributes:
        id: its public id.
        athlete: pseudonymous id of who uses it; unset takes the global one.
        sensor: "ble:ADDRESS", "serial:NUMBER", "name:NAME", "phone:DEVICE" or "trace:NAME";
            unset takes the first sensor that no other entry names.
        radius_m: rolling radius; unset takes the sensor's own, else `default_radius_m`.
        shape: "roller", which turns about its axle; "ball", which rolls any way; or "body", a phone
            worn on the body: strokes come some seconds late, without a live speed.
        region: what is rolled with it.
        protocol: id or file of a rolling protocol; unset takes the global one.
    """

    id: Id
    athlete: Id | None = None
    sensor: Selector | None = None
    radius_m: Radius | None = None
    shape: Literal["roller", "ball", "body"] = "roller"
    region: str = ""
    protocol: str | None = None


class Config(Section, frozen=True):
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
    default_radius_m: Radius = 0.075
    ble: BleConfig = BleConfig()
    phone: PhoneConfig = PhoneConfig()
    mqtt: MqttConfig = MqttConfig()
    store: StoreConfig = StoreConfig()
    archive: ArchiveConfig = ArchiveConfig()
    session: SessionConfig = SessionConfig()
    record: RecordConfig = RecordConfig()
    rollers: tuple[RollerConfig, ...] = ()
