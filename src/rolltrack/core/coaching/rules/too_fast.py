"""A stroke whose mean speed is above the protocol's limit."""

from __future__ import annotations

from math import erfc, sqrt
from typing import TYPE_CHECKING

from rolltrack.core.coaching.verdict import Verdict

if TYPE_CHECKING:
    from rolltrack.core.coaching.protocol import RollingProtocol
    from rolltrack.core.strokes.stroke import Stroke

_LIKELY, _NEARLY_CERTAIN = 0.5, 0.95
_SMALLEST_SD_MPS = 1e-6
_LEAST_CMPS = 0.1
"""As written: no speed is known without an error."""


def judge(stroke: Stroke, protocol: RollingProtocol) -> Verdict:
    """Compare length over duration with `max_stroke_speed_mps`.

    A stroke is flagged when it is more likely than not that its mean is above the limit; the reason
    says so where that is not nearly certain. Of one that was not seen whole, as its slow end may be
    missing, it has to be. Without a speed there is no evidence, and no flag.
    The limit is a pace to keep to; whether tissue yielded is not known and not said.
    """
    limit_mps = protocol.max_stroke_speed_mps
    mean_mps, sd_mps = stroke.mean_speed_mps, stroke.mean_speed_sd_mps
    if mean_mps is None or sd_mps is None:
        return Verdict(
            "too_fast",
            breached=False,
            reason="",
            value_mps=None,
            limit_mps=limit_mps,
            probability=None,
        )
    probability = _above(mean_mps, sd_mps, limit_mps)
    breached = probability > (_NEARLY_CERTAIN if stroke.partly_unknown else _LIKELY)
    source = protocol.evidence_for("speed.max_stroke_speed_mps").source
    mean_cmps, sd_cmps = mean_mps * 100, max(sd_mps * 100, _LEAST_CMPS)
    reason = (
        f"Faster than your protocol's target: {mean_cmps:.1f} ± {sd_cmps:.1f} cm/s"
        f" for {stroke.duration_s:.1f} s, limit {limit_mps * 100:.1f} ({source})."
    )
    if probability < _NEARLY_CERTAIN:
        reason += f" Close to it: {100 * probability:.0f} % likely to be above."
    if stroke.partly_unknown:
        reason += " Part of the stroke was not measured."
    return Verdict(
        "too_fast", breached, reason if breached else "", mean_mps, limit_mps, probability
    )


def _above(mean_mps: float, sd_mps: float, limit_mps: float) -> float:
    """Probability that a value measured as mean +- sd is above the limit."""
    return 0.5 * erfc((limit_mps - mean_mps) / (sqrt(2.0) * max(sd_mps, _SMALLEST_SD_MPS)))
