"""An MQTT broker of our own, on loopback, for people who have none."""
