"""A recording, as fast as it will go -> strokes and a session summary."""

from rolltrack.analysis.analyse import Analysis, analyse, analyse_trace

__all__ = ["Analysis", "analyse", "analyse_trace"]
