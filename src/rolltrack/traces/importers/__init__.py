"""Other programs' recordings -> readings; one format, one file, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rolltrack.traces.importers import bracket_units, phyphox, sensor_logger

if TYPE_CHECKING:
    from rolltrack.traces.importers.imported import Importer

IMPORTERS: Final[tuple[Importer, ...]] = (
    phyphox,
    sensor_logger,
    bracket_units,
)
"""In the order in which they are asked; the most particular first."""
