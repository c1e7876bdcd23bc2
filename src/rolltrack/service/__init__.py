"""The live loop: sources -> one Tracker per sensor -> sinks."""

from rolltrack.service.identity import wanted_sensor
from rolltrack.service.journalist import Journalist
from rolltrack.service.recovery import recover
from rolltrack.service.room import Room
from rolltrack.service.run import run_service

__all__ = ["Journalist", "Room", "recover", "run_service", "wanted_sensor"]
