"""Stroke and live speed -> verdicts and cues, judged by a rolling protocol."""
