"""An MQTT broker of our own, on loopback, for people who have none."""

from __future__ import annotations

from rolltrack.broker.embedded import EmbeddedBroker, embedded_broker

__all__ = ["EmbeddedBroker", "embedded_broker"]
