"""A decision about a stroke, with the numbers that caused it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says about one stroke.

    Attributes:
        rule: id of the rule, for example "too_fast".
        breached: True when the stroke is outside what the rolling protocol asks for.
        reason: one sentence with the measured value, its error, the limit and the limit's source;
            empty when not breached.
        value_mps: what was measured, None where that is not known; then nothing is breached.
        limit_mps: what it was compared with.
        probability: that the true value is beyond the limit, the measurement's error being normal;
            None where nothing was measured.
    """

    rule: str
    breached: bool
    reason: str
    value_mps: float | None
    limit_mps: float
    probability: float | None
