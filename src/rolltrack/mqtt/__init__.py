"""One connection to an MQTT broker, for whoever publishes or listens."""

from __future__ import annotations

from rolltrack.mqtt.knock import knock
from rolltrack.mqtt.link import Incoming, MqttLink
from rolltrack.mqtt.peer import Login, Peer, Tls, peer_of

__all__ = ["Incoming", "Login", "MqttLink", "Peer", "Tls", "knock", "peer_of"]
