"""The live loop: sources -> one Tracker per sensor -> sinks."""

from rolltrack.service.identity import wanted_sensor
from rolltrack.service.run import run_service

__all__ = ["run_service", "wanted_sensor"]
