"""Random shaking within a band of frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from firmware_sim.trace import FloatArray


def band_noise(
    n: int, rate_hz: float, band_hz: tuple[float, float], dice: np.random.Generator, columns: int
) -> FloatArray:
    """(n, columns) independent Gaussian noise of unit standard deviation, flat within the band.

    A stretch too short to hold any frequency of the band gets zeros.
    """
    frequency_hz = np.fft.rfftfreq(n, 1 / rate_hz)
    inside = (frequency_hz >= band_hz[0]) & (frequency_hz <= band_hz[1])
    if not inside.any():
        return np.zeros((n, columns))
    spectrum = np.zeros((len(frequency_hz), columns), dtype=complex)
    parts = dice.normal(size=(2, np.count_nonzero(inside), columns))
    spectrum[inside] = parts[0] + 1j * parts[1]
    noise: FloatArray = np.fft.irfft(spectrum, n, axis=0)
    return np.asarray(noise / noise.std(axis=0))


def ease(n: int, edge: int) -> FloatArray:
    """(n,) window that rises from 0 to 1 with minimum jerk over `edge` samples, and falls again."""
    edge = min(edge, n // 2)
    u = np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / max(edge, 1), 0.0, 1.0)
    return np.asarray(u**3 * (10 - 15 * u + 6 * u**2))
