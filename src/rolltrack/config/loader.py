"""rolltrack.toml -> Config, with errors that name file, line and key; and back."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from rolltrack.config.explain import explain, explain_syntax, position
from rolltrack.config.settings import (
    RESERVED_ROLLER_IDS,
    ArchiveConfig,
    Config,
    MqttConfig,
    PhoneConfig,
)
from rolltrack.config.toml import parse_toml
from rolltrack.errors import UsageError

FILE_NAME = "rolltrack.toml"
DEFAULT_MQTT_PORT = 1883
DEFAULT_MQTT_TLS_PORT = 8883
TLS_FILES = ("ca_file", "certificate_file", "key_file")


def find_config(path: Path | None = None) -> Path | None:
    """The file that will be read: `path`, else ./rolltrack.toml, else the user's, if there is one.

    Raises:
        UsageError: `path` is given and not a file.
    """
    if path is not None:
        if not path.is_file():
            raise UsageError(
                f"{path}: no such configuration file.",
                hint="Leave out --config to use the defaults.",
            )
        return path
    user_folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    candidates = (Path(FILE_NAME), user_folder / "rolltrack" / "config.toml")
    return next((each for each in candidates if each.is_file()), None)


def load_config(path: Path | None = None) -> Config:
    """Read the configuration that `find_config` finds, or the defaults when there is no file.

    File names in it are relative to the file's own folder.

    Raises:
        UsageError: one line that says file, line, key and what is expected there.
    """
    found = find_config(path)
    if found is None:
        return _expand_paths(Config(), Path.cwd())
    try:
        text = found.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{found}: cannot be read: {error}.", hint="Is it a text file, and yours?"
        ) from error
    return _expand_paths(parse_config(text, str(found)), found.resolve().parent)


def parse_config(text: str, name: str) -> Config:
    """Turn the text of a configuration file, called `name` in errors, into a checked `Config`."""
    try:
        raw = parse_toml(text)
    except ValueError as error:
        raise explain_syntax(str(error), name) from error
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise explain(str(error), text, name) from error
    _check_rollers(config, text, name)
    _check_phone(config.phone, text, name)
    _check_archive(config.archive, text, name)
    _check_mqtt(config.mqtt, text, name)
    return config


def config_to_toml(config: Config) -> str:
    """The same configuration as a file; secrets stay in the files it names."""
    return tomli_w.dumps(_without_unset(msgspec.to_builtins(config)))


def broker_address(broker: str, *, where: str = "broker", tls: bool = False) -> tuple[str, int]:
    """Split "host" or "host:port" (IPv6 in brackets); without a port it is MQTT's usual one.

    Raises:
        UsageError: it is neither; `where` says which setting it came from.
    """
    host, port = broker, str(DEFAULT_MQTT_TLS_PORT if tls else DEFAULT_MQTT_PORT)
    if broker.startswith("["):
        host, _, rest = broker[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif ":" in broker:
        host, _, port = broker.partition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 65536:  # noqa: PLR2004 ports end there
        raise UsageError(
            f'{where}: "{broker}" is not a broker address.',
            hint='Write "host", "host:port" or "embedded".',
        )
    return host, int(port)


def _check_rollers(config: Config, text: str, name: str) -> None:
    taken: set[str] = set()
    for index, roller in enumerate(config.rollers):
        where = position(text, name, ("rollers", index, "id"))
        if roller.id in RESERVED_ROLLER_IDS:
            raise UsageError(
                f'{where}: the id "{roller.id}" is reserved for a topic.', hint="Choose another."
            )
        if roller.id in taken:
            raise UsageError(
                f'{where}: the id "{roller.id}" is taken by another of [[rollers]].',
                hint="Every roller needs its own.",
            )
        taken.add(roller.id)


def _check_phone(phone: PhoneConfig, text: str, name: str) -> None:
    if phone.token_file is None and not _is_loopback(phone.host):
        where = position(text, name, ("phone", "host"))
        raise UsageError(
            f'{where}: "{phone.host}" can be reached from outside this machine.',
            hint="Set token_file in [phone], or listen on 127.0.0.1.",
        )


def _check_archive(archive: ArchiveConfig, text: str, name: str) -> None:
    if re.match(r"\w[\w+]*://[^/?#]*:[^/?#]*@|.*[?&]password=", archive.database):
        where = position(text, name, ("archive", "database"))
        raise UsageError(
            f"{where}: the URL holds a password.",
            hint="Put it into a file of its own, and set database_password_file in [archive].",
        )


def _check_mqtt(mqtt: MqttConfig, text: str, name: str) -> None:
    """Nobody who names certificates should be served without."""
    if mqtt.broker != "embedded":
        broker_address(mqtt.broker, where=position(text, name, ("mqtt", "broker")))
    for key in TLS_FILES:
        if getattr(mqtt, key) is not None and not mqtt.tls:
            raise UsageError(
                f"{position(text, name, ('mqtt', key))}: {key} is set, but tls is not.",
                hint="Add tls = true to [mqtt].",
            )
    if mqtt.tls and mqtt.broker == "embedded":
        raise UsageError(
            f"{position(text, name, ('mqtt', 'tls'))}: the embedded broker stays on this machine"
            " and does not speak TLS.",
            hint="Name a broker in [mqtt], or leave tls out.",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _expand_paths(config: Config, folder: Path) -> Config:
    def expand(file: str | None) -> str | None:
        return None if file is None else str(folder / Path(file).expanduser())

    def expand_protocol(protocol: str | None) -> str | None:
        return expand(protocol) if protocol is not None and protocol.endswith(".toml") else protocol

    change = msgspec.structs.replace
    archive = config.archive
    return change(
        config,
        protocol=expand_protocol(config.protocol),
        phone=change(config.phone, token_file=expand(config.phone.token_file)),
        mqtt=change(
            config.mqtt,
            **{key: expand(getattr(config.mqtt, key)) for key in ("password_file", *TLS_FILES)},
        ),
        archive=change(
            archive,
            database=archive.database if "://" in archive.database else expand(archive.database),
            database_password_file=expand(archive.database_password_file),
        ),
        store=change(config.store, path=expand(config.store.path)),
        record=change(config.record, folder=expand(config.record.folder)),
        rollers=tuple(
            change(each, protocol=expand_protocol(each.protocol)) for each in config.rollers
        ),
    )


def _without_unset(value: Any) -> Any:
    """TOML has no null: unset keys are left out, and with them lists and tables without content."""
    if isinstance(value, dict):
        kept = {key: _without_unset(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, [], {})}
    if isinstance(value, list | tuple):
        return [_without_unset(each) for each in value]
    return value
