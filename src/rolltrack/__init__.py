"""Measure how fast a foam roller moves along the tissue, and say when that is too fast.

The names below are the public ones; each is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rolltrack.analysis import Analysis, analyse, analyse_trace
    from rolltrack.core.coaching.protocol import RollingProtocol
    from rolltrack.core.events import Event, JudgedStroke, SessionSummary
    from rolltrack.core.sample import ImuSamples, SignalGap
    from rolltrack.core.setup import Setup
    from rolltrack.core.strokes.stroke import Stroke
    from rolltrack.core.tracker import Tracker
    from rolltrack.errors import RolltrackError
    from rolltrack.protocols import load_protocol
    from rolltrack.traces.samples import sample_trace

__all__ = [
    "Analysis",
    "Event",
    "ImuSamples",
    "JudgedStroke",
    "RollingProtocol",
    "RolltrackError",
    "SessionSummary",
    "Setup",
    "SignalGap",
    "Stroke",
    "Tracker",
    "analyse",
    "analyse_trace",
    "load_protocol",
    "sample_trace",
]

_HOMES = {
    "Analysis": "rolltrack.analysis",
    "Event": "rolltrack.core.events",
    "ImuSamples": "rolltrack.core.sample",
    "JudgedStroke": "rolltrack.core.events",
    "RollingProtocol": "rolltrack.core.coaching.protocol",
    "RolltrackError": "rolltrack.errors",
    "SessionSummary": "rolltrack.core.events",
    "Setup": "rolltrack.core.setup",
    "SignalGap": "rolltrack.core.sample",
    "Stroke": "rolltrack.core.strokes.stroke",
    "Tracker": "rolltrack.core.tracker",
    "analyse": "rolltrack.analysis",
    "analyse_trace": "rolltrack.analysis",
    "load_protocol": "rolltrack.protocols",
    "sample_trace": "rolltrack.traces.samples",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for, so that `rolltrack --help` needs no numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'rolltrack' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
