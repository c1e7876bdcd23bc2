"""Which broker, and as whom."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from rolltrack.config import broker_address
from rolltrack.config.secret_file import read_secret
from rolltrack.errors import UsageError
from rolltrack.mqtt.tls import Tls, tls_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolltrack.config import MqttConfig

__all__ = ["PASSWORD_VARIABLE", "Login", "Peer", "Tls", "peer_of"]

PASSWORD_VARIABLE = "ROLLTRACK_MQTT_PASSWORD"  # noqa: S105  # its name, not a password

ProtocolChoice: TypeAlias = Literal["auto", "5", "3.1.1"]

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Login:
    """Name and password for the broker; the password is never shown."""

    username: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Peer:
    """A broker.

    Attributes:
        host: name or address.
        port: TCP port.
        login: None for a broker that lets everybody in.
        tls: None for an open connection.
        protocol: "auto" tries MQTT 5 first and falls back to 3.1.1.

    Raises:
        UsageError: this cannot be the address of anything.
    """

    host: str
    port: int
    login: Login | None = None
    tls: Tls | None = None
    protocol: ProtocolChoice = "auto"

    def __post_init__(self) -> None:
        try:
            usable = bool(self.host.encode("idna")) and 0 < self.port <= _MAX_PORT
        except UnicodeError:
            usable = False
        if not usable:
            raise UsageError(
                f'"{self}" is not the address of a broker.',
                hint="Correct mqtt.broker, for example localhost:1883.",
            )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether nothing that is sent there leaves this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def peer_of(config: MqttConfig, environ: Mapping[str, str] = os.environ) -> Peer:
    """The broker that the configuration names; it must name one.

    Args:
        config: names broker, user and files.
        environ: where `PASSWORD_VARIABLE` may hold the password instead of a file.

    Raises:
        UsageError: address, user name, or one of the files cannot be used.
    """
    host, port = broker_address(config.broker, where="mqtt.broker", tls=config.tls)
    tls = Tls(config.ca_file, config.certificate_file, config.key_file) if config.tls else None
    if tls:
        tls_context(tls)  # a broken file is the user's to correct before anything starts
    return Peer(host, port, _login(config, environ), tls, config.protocol)


def _login(config: MqttConfig, environ: Mapping[str, str]) -> Login | None:
    source = "mqtt.password_file" if config.password_file is not None else PASSWORD_VARIABLE
    if config.password_file is None and PASSWORD_VARIABLE not in environ:
        return Login(config.username) if config.username else None
    if not config.username:
        raise UsageError(f"{source} is set, but mqtt.username is not.", hint="MQTT needs both.")
    if config.password_file is not None:
        return Login(config.username, read_secret(config.password_file, source))
    return Login(config.username, environ[PASSWORD_VARIABLE])
