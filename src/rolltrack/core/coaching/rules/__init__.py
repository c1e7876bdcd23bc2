"""One rule, one file; a protocol names the rules it wants."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from rolltrack.core.coaching.protocol import RollingProtocol
from rolltrack.core.coaching.rules import too_fast
from rolltrack.core.coaching.verdict import Verdict
from rolltrack.core.strokes.stroke import Stroke

Rule: TypeAlias = Callable[[Stroke, RollingProtocol], Verdict]

RULES: Mapping[str, Rule] = {
    "too_fast": too_fast.judge,
}
