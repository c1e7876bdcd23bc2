"""Figures of merit. Each is a ratio of two sums over sessions, so that sessions can be resampled.

Speeds are compared up to one sign for the whole session: which way is +1 depends on how the sensor
is mounted. A ball has no direction: it is compared by size, and has no strokes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from _accuracy_session import LIMIT_MPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from _accuracy_session import Answer, FoundStroke, Session

    from firmware_sim.strokes import TrueStroke
    from rolltrack.core.sample import FloatArray

Sums: TypeAlias = "dict[str, tuple[float, float]]"

COLUMNS = {
    "rmse": "RMSE cm/s",
    "p95": "p95 cm/s",
    "mae": "MAE cm/s",
    "mean": "stroke mean %",
    "fast": "mean from 12 cm/s %",
    "peak": "peak %",
    "length": "length %",
    "count": "count %",
    "f1": "F1 too fast",
    "within": "within 2 sd",
    "calibration": "(error/sd)²",
    "mean_within": "means within 2 sd",
    "known": "known %",
    "recall": "recall %",
    "runaway": "ran away %",
    "us": "us/sample",
}
"""Name and heading of every figure, in the order of the table."""

RUNAWAY_MPS = 0.3
"""As fast as the fastest strokes: an error as large says nothing any more."""
_OVERLAP = 0.5
_FAST_MPS = 0.12
_SIGMAS = 2.0
_RESAMPLES = 1000
_CONFIDENCE = (2.5, 97.5)


def sums(session: Session, answer: Answer) -> Sums:
    """Numerator and denominator of every figure, for one session."""
    true, said = session.true_mps, answer.speed_mps
    rolls, known = np.isfinite(true), np.isfinite(said)
    found: Sums = {"us": (1e6 * answer.cpu_s, len(true))}
    if rolls.any():
        found["known"] = (100.0 * float((rolls & known).sum()), float(rolls.sum()))
    if not rolls.all():
        found["recall"] = (100.0 * float((~rolls & ~known).sum()), float((~rolls).sum()))
    both = rolls & known
    if both.any():
        sd = None if answer.sd_mps is None else answer.sd_mps[both]
        error_mps = _error(session, said[both], true[both])
        found |= _speed(error_mps, sd)
        if sd is not None:
            found["runaway"] = (100.0 * float(np.abs(error_mps).max() > RUNAWAY_MPS), 1.0)
    if rolls.any() and session.shape != "ball":
        found |= _strokes(session, answer)
    return found


def summary(sessions: Sequence[Sums], name: str) -> tuple[float, float, float] | None:
    """The figure over all sessions with its 95 % bootstrap interval; None where it has none."""
    pairs = np.array([session[name] for session in sessions if name in session])
    if not len(pairs) or not pairs[:, 1].sum():
        return None
    dice = np.random.default_rng(1)
    drawn = pairs[dice.integers(0, len(pairs), (_RESAMPLES, len(pairs)))].sum(axis=1)
    ratios = drawn[:, 0] / np.where(drawn[:, 1], drawn[:, 1], np.nan)
    low, high = np.nanpercentile(ratios, _CONFIDENCE)
    value = pairs[:, 0].sum() / pairs[:, 1].sum()
    return float(value), float(low), float(high)


def _error(session: Session, said: FloatArray, true: FloatArray) -> FloatArray:
    if session.shape == "ball":
        return np.asarray(np.abs(said) - true)
    return np.asarray(said * np.sign(said @ true) - true)


def _speed(error_mps: FloatArray, sd_mps: FloatArray | None) -> Sums:
    size = 100.0 * np.abs(error_mps)
    found: Sums = {
        "rmse": (float(np.sqrt(np.mean(size**2))), 1.0),
        "p95": (float(np.percentile(size, 95)), 1.0),
        "mae": (float(size.mean()), 1.0),
    }
    if sd_mps is not None:
        z = error_mps / np.maximum(sd_mps, 1e-9)
        found["within"] = (float(np.sum(np.abs(z) <= _SIGMAS)), float(len(z)))
        found["calibration"] = (float(np.sum(z**2)), float(len(z)))
    return found


def _strokes(session: Session, answer: Answer) -> Sums:
    true, found = session.strokes, answer.strokes
    matched = _matched(true, found)
    pairs = [(t, f) for t, f in matched if np.isfinite(f.mean_speed_mps)]
    n = float(len(pairs))
    hits = sum(t.mean_speed_mps > LIMIT_MPS < f.mean_speed_mps for t, f in pairs)
    too_fast = sum(t.mean_speed_mps > LIMIT_MPS for t in true)
    flagged = sum(f.mean_speed_mps > LIMIT_MPS for f in found)
    result: Sums = {"f1": (2.0 * hits, float(too_fast + flagged))}
    if true:
        result["count"] = (100.0 * abs(len(true) - len(found)), float(len(true)))
    for name, figure in (
        ("mean", "mean_speed_mps"),
        ("peak", "peak_speed_mps"),
        ("length", "length_m"),
    ):
        errors = [abs(getattr(f, figure) / getattr(t, figure) - 1) for t, f in pairs]
        result[name] = (100.0 * sum(errors), n)
    if answer.sd_mps is not None:
        off = [abs(f.mean_speed_mps - t.mean_speed_mps) / f.mean_speed_sd_mps for t, f in pairs]
        result["mean_within"] = (float(sum(z <= _SIGMAS for z in off)), n)
    if session.shape == "body":
        fast = [(t, f) for t, f in pairs if t.mean_speed_mps >= _FAST_MPS]
        errors = [abs(f.mean_speed_mps / t.mean_speed_mps - 1) for t, f in fast]
        result["fast"] = (100.0 * sum(errors), float(len(fast)))
    return result


def _matched(
    true: Sequence[TrueStroke], found: Sequence[FoundStroke]
) -> list[tuple[TrueStroke, FoundStroke]]:
    """Each true stroke with the found one that covers most of it, if that is at least half."""
    pairs = []
    for stroke in true:
        covered = [(min(f.end_s, stroke.end_s) - max(f.start_s, stroke.start_s), f) for f in found]
        overlap_s, best = max(covered, key=lambda pair: pair[0], default=(0.0, None))
        if best is not None and overlap_s >= _OVERLAP * (stroke.end_s - stroke.start_s):
            pairs.append((stroke, best))
    return pairs


def row(sessions: Sequence[Sums]) -> Mapping[str, tuple[float, float, float]]:
    """Every figure that these sessions have."""
    figures = {name: summary(sessions, name) for name in COLUMNS}
    return {name: figure for name, figure in figures.items() if figure is not None}
