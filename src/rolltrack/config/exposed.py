"""Secrets that others on this machine can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.config.settings import Config


class SecretFile(NamedTuple):
    """A file that holds a password, a token or a private key, and the setting that names it."""

    setting: str
    path: Path


def secret_files(config: Config) -> list[SecretFile]:
    """Those that the configuration names and that are there; that one is missing others say."""
    mqtt = config.mqtt
    key = ("mqtt.key_file", mqtt.key_file)
    if mqtt.key_file is None:
        key = ("mqtt.certificate_file", mqtt.certificate_file)  # it holds the key too
    named = (
        ("mqtt.password_file", mqtt.password_file),
        key,
        ("phone.token_file", config.phone.token_file),
        ("archive.database_password_file", config.archive.database_password_file),
    )
    found = (SecretFile(name, Path(file).expanduser()) for name, file in named if file)
    return [each for each in found if each.path.is_file()]


def exposed_secrets(config: Config) -> Iterator[tuple[SecretFile, str]]:
    """Each secret file whose mode lets others read it, and what to do about it.

    Of a file that is somebody else's, its group is let off: a service may be meant to read it so.
    """
    if os.name != "posix":
        return
    for secret in secret_files(config):
        status = secret.path.stat()
        ours = status.st_uid == os.geteuid()
        if status.st_mode & (stat.S_IRGRP | stat.S_IROTH if ours else stat.S_IROTH):
            yield secret, f"chmod 600 {secret.path}" if ours else f"sudo chmod o= {secret.path}"
