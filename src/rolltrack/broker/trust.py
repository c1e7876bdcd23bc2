"""Whom a broker can keep apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.errors import UsageError

if TYPE_CHECKING:
    from rolltrack.broker.embedded import Kind
    from rolltrack.config import Config


def athletes_of(config: Config) -> frozenset[str]:
    """Everybody whose data the service may publish."""
    named = {roller.athlete or config.athlete for roller in config.rollers}
    strangers = (config.ble.enabled and config.ble.discover) or config.phone.enabled
    if strangers or not named:  # a sensor that no entry names is the global athlete's
        named.add(config.athlete)
    return frozenset(named)


def check_trust(kind: Kind, config: Config) -> None:
    """Let amqtt serve one person only: it cannot keep two apart.

    Raises:
        UsageError: the configuration names more athletes than this broker may serve.
    """
    athletes = sorted(athletes_of(config))
    if kind == "amqtt" and len(athletes) > 1:
        raise UsageError(
            f"The embedded amqtt cannot keep the athletes {', '.join(athletes)} apart.",
            hint="Install mosquitto, set mqtt.broker to a broker of yours (`rolltrack broker acl`"
            " sets one up), or name one athlete only, at the top of the configuration too.",
        )
