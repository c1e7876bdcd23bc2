"""A stroke: one pass along the tissue in one direction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stroke:
    """One run of one direction, found by the rule in `segmenter`.

    Attributes:
        n: 1 for the first stroke of the session.
        start_s: stream time of its first instant above the stroke threshold.
        end_s: stream time of its last such instant.
        direction: +1 or -1 along the tissue; which is which depends on how the sensor is mounted.
        length_m: surface distance travelled; None where the speed is not known.
        peak_speed_mps: largest speed within it, None where not known.
        mean_speed_sd_mps: standard deviation of `mean_speed_mps`, None where that is not known.
        partly_unknown: True when it touches a gap or an instant the model could not judge.
    """

    n: int
    start_s: float
    end_s: float
    direction: int
    length_m: float | None
    peak_speed_mps: float | None
    mean_speed_sd_mps: float | None
    partly_unknown: bool = False

    @property
    def duration_s(self) -> float:
        """Time from the first to the last instant above the stroke threshold."""
        return self.end_s - self.start_s

    @property
    def mean_speed_mps(self) -> float | None:
        """Length divided by duration; None where only the stroke and its time are known."""
        return None if self.length_m is None else self.length_m / self.duration_s
