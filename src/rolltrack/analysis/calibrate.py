"""The effective rolling radius, from a recording of a roll over a measured distance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rolltrack.analysis.analyse import DEFAULT_RADIUS_M, analyse_trace
from rolltrack.core.calibration import (
    GYRO_SCALE_SD,
    Calibration,
    CalibrationError,
    find_radius,
)
from rolltrack.errors import InputError
from rolltrack.protocols import load_protocol
from rolltrack.traces.reader import open_trace

if TYPE_CHECKING:
    from rolltrack.core.intake import Sensors
    from rolltrack.core.strokes.stroke import Stroke

__all__ = ["Calibration", "calibrate"]


def calibrate(
    trace: str | Path,
    distance_m: float,
    *,
    passes: int = 1,
    distance_sd_m: float = 0.005,
    sensors: Sensors = "auto",
) -> Calibration:
    """Find the effective radius.

    Args:
        trace: recording of the roll: rest, one pass (or several, there and back), rest.
        distance_m: how far the roller's middle moved in each pass.
        passes: how many there are.
        distance_sd_m: how well the distance is known.
        sensors: which readings to use.

    Raises:
        InputError: the recording does not hold these passes, or part of them could not be measured.
    """
    protocol = load_protocol("slow-release")

    def strokes_at(radius_m: float) -> list[Stroke]:
        found = analyse_trace(trace, protocol=protocol, radius_m=radius_m, sensors=sensors)
        return [judged.stroke for judged in found.strokes]

    head = open_trace(Path(trace))
    counted = sensors != "gyro" and head.columns.accel
    try:
        return find_radius(
            strokes_at,
            distance_m,
            assumed_m=head.meta.radius_m or DEFAULT_RADIUS_M,
            passes=passes,
            distance_sd_m=distance_sd_m,
            scale_sd=0.0 if counted else GYRO_SCALE_SD,
        )
    except CalibrationError as fault:
        raise InputError(f"{trace}: {fault.what}", hint=fault.hint) from fault
