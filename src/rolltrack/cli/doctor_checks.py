"""What `rolltrack doctor` looks at; each check is a small function that says what it found."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from rolltrack.broker import mosquitto
from rolltrack.config import Config, find_config, load_config
from rolltrack.config.exposed import exposed_secrets, secret_files
from rolltrack.errors import UsageError
from rolltrack.mqtt import knock, peer_of
from rolltrack.protocols import load_protocol
from rolltrack.sources.ble_check import diagnose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.config import MqttConfig

Result: TypeAlias = Literal["ok", "missing", "unsafe", "broken"]
"""missing: something not needed for a first run; unsafe: it works, and others can abuse it; broken:
something that was asked for fails."""

PLAUSIBLE_YEARS = range(2025, 2100)
CLOCK_STEP_S = 0.5


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    about: str
    result: Result
    found: str
    advice: str = ""


def check_configuration(path: Path | None) -> tuple[Check, Config, bool]:
    """The file in effect; a broken one leaves the defaults for the other checks.

    Returns the check, the configuration, and whether a file asked for anything at all.
    """
    about = "configuration"
    try:
        found = find_config(path)
        config = load_config(path)
        load_protocol(config.protocol)
    except UsageError as error:
        return Check(about, "broken", error.what, error.hint), Config(), False
    said = f"{found} is valid" if found else "no file, the defaults apply"
    return Check(about, "ok", said), config, found is not None


def check_bluetooth(config: Config, *, asked_for: bool) -> Iterator[Check]:
    """Everything between this computer and a roller."""
    if not config.ble.enabled:
        yield Check("Bluetooth", "ok", "switched off in the configuration")
        return
    for each in diagnose(config.ble.link):
        wrong: Result = "broken" if asked_for else "missing"
        yield Check("Bluetooth", "ok" if each.ok else wrong, each.what, each.advice)


def check_broker(mqtt: MqttConfig) -> Check:
    """The broker of the configuration: can it be started, or does it let us in?"""
    about = "MQTT broker"
    if not mqtt.enabled:
        return Check(about, "ok", "publishing is switched off in the configuration")
    if mqtt.broker == "embedded":
        return _check_embedded(about)
    try:
        peer = peer_of(mqtt)
    except UsageError as error:
        return Check(about, "broken", error.what, error.hint)
    refusal = knock(peer)
    if refusal is None:
        how = "over TLS" if peer.tls else "unencrypted"
        return Check(about, "ok", f"{peer} lets us in, {how}")
    advice = "Is it running? Check broker, username, password and TLS files in [mqtt]."
    return Check(about, "broken", f"{peer}: {refusal}", advice)


def check_secrets(config: Config) -> Iterator[Check]:
    """Can others read the passwords and keys that the configuration names?"""
    about = "secrets"
    exposed = list(exposed_secrets(config))
    for (setting, path), advice in exposed:
        yield Check(about, "unsafe", f"others can read {setting} {path}", advice)
    if not exposed:
        count = len(secret_files(config))
        said = f"{count} in files that others cannot read" if count else "none in files"
        yield Check(about, "ok", said)


def _check_embedded(about: str) -> Check:
    if path := mosquitto.find():
        return Check(about, "ok", f"embedded, will start {path}")
    if find_spec("amqtt"):
        return Check(about, "ok", "embedded, will start amqtt; mosquitto is not installed")
    return Check(
        about,
        "broken",
        "embedded, but neither mosquitto nor amqtt is installed",
        "sudo apt install mosquitto, or: pip install 'rolltrack[broker]'",
    )


def check_store(config: Config) -> Check:
    """Can sessions be written where the configuration says?"""
    path = Path(config.store.path).expanduser()
    where = next(each for each in (path, *path.parents) if each.exists())
    if path.is_dir() or not os.access(where, os.W_OK):
        advice = "Set path in [store] to a file in a folder of yours."
        return Check("session store", "broken", f"{path} cannot be written", advice)
    free_mb = shutil.disk_usage(where).free // 1_000_000
    said = f"{path} can be written, {free_mb} MB free"
    return Check("session store", "ok", said)


def check_clock(elapsed_wall_s: float, elapsed_monotonic_s: float) -> Check:
    """Is the wall clock plausible, and did it run evenly while we looked?"""
    now = datetime.now(UTC)
    if now.year not in PLAUSIBLE_YEARS:
        said = f"the clock says {now:%Y-%m-%d}; sessions would carry that date"
        return Check("clock", "broken", said, "Set it: sudo timedatectl set-ntp true")
    if abs(elapsed_wall_s - elapsed_monotonic_s) > CLOCK_STEP_S:
        said = "the clock jumped while we looked"
        return Check("clock", "broken", said, "Wait until time synchronisation has settled.")
    return Check("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC, running evenly")


def check_demo() -> Check:
    """Can `rolltrack demo` work?"""
    lacking = []
    if not find_spec("bumble") or not find_spec("firmware_sim"):
        lacking.append("pip install 'rolltrack[sim]'")
    if not mosquitto.find() and not find_spec("amqtt"):
        lacking.append("pip install 'rolltrack[broker]'")
    if lacking:
        return Check("demo", "broken", "parts are not installed", " and ".join(lacking))
    return Check("demo", "ok", "ready: rolltrack demo")


class Stopwatch:
    """Wall and monotonic seconds since it was made."""

    def __init__(self) -> None:
        self._wall_s = time.time()
        self._monotonic_s = time.monotonic()

    def elapsed(self) -> tuple[float, float]:
        """Wall seconds, monotonic seconds."""
        return time.time() - self._wall_s, time.monotonic() - self._monotonic_s
