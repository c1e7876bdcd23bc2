"""A stroke whose mean speed is above the protocol's limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.core.coaching.verdict import Verdict

if TYPE_CHECKING:
    from rolltrack.core.coaching.protocol import RollingProtocol
    from rolltrack.core.strokes.stroke import Stroke


def judge(stroke: Stroke, protocol: RollingProtocol) -> Verdict:
    """Compare length over duration with `max_stroke_speed_mps`.

    The limit is a pace to keep to; whether tissue yielded is not known and not said.
    """
    limit_mps = protocol.max_stroke_speed_mps
    mean_mps = stroke.mean_speed_mps
    breached = mean_mps > limit_mps
    source = protocol.evidence_for("speed.max_stroke_speed_mps").source
    mean_cmps, sd_cmps = mean_mps * 100, stroke.mean_speed_sd_mps * 100
    reason = (
        f"Faster than your protocol's target: {mean_cmps:.1f} ± {sd_cmps:.1f} cm/s"
        f" for {stroke.duration_s:.1f} s, limit {limit_mps * 100:.1f} ({source})."
    )
    return Verdict("too_fast", breached, reason if breached else "", mean_mps, limit_mps)
