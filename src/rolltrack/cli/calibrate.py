"""`rolltrack calibrate`: the effective radius from a roll over a measured distance."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import Annotated

import typer

from rolltrack.analysis.calibrate import Calibration
from rolltrack.analysis.calibrate import calibrate as find_radius
from rolltrack.cli.output import note, print_json, stdout
from rolltrack.cli.timing_texts import warn_of_times
from rolltrack.core.intake import Sensors  # noqa: TC001  # the same

app = typer.Typer()


@app.command()
def calibrate(
    trace: Annotated[Path, typer.Argument(help="Recording of the roll (rolltrack record).")],
    *,
    distance_m: Annotated[
        float, typer.Option(min=0.05, max=100.0, help="How far the roller moved in each pass.")
    ] = 1.0,
    passes: Annotated[int, typer.Option(min=1, max=100, help="Passes, there and back.")] = 1,
    sensors: Annotated[Sensors, typer.Option(help="Which readings to use.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find the effective rolling radius from a roll over a measured distance.

    Mark a distance on the floor, rest the roller at one mark, roll it slowly to the other with your
    weight on it, and rest again. Every speed is proportional to the radius, and soft rollers have a
    smaller one under load.
    """
    warn_of_times(trace)
    found = find_radius(trace, distance_m, passes=passes, sensors=sensors)
    if sensors == "gyro":
        note("A gyroscope's scale is off by a per cent or so; the radius's error allows for it.")
    if as_json:
        print_json(asdict(found))
        return
    for line in _in_words(found):
        stdout().print(line, markup=False)


def _in_words(found: Calibration) -> list[str]:
    turns = found.angle_rad / math.tau
    off = 100 * (found.radius_m / found.assumed_m - 1)
    radius = f"{1000 * found.radius_m:.1f} ± {1000 * found.radius_sd_m:.1f} mm"
    return [
        f"effective radius {radius} ({turns:.2f} turns per pass of {found.distance_m:g} m)",
        f"{off:+.1f} % from the {1000 * found.assumed_m:.1f} mm assumed so far",
        f"in the roller's [[rollers]] entry: radius_m = {found.radius_m:.4f}",
    ]
