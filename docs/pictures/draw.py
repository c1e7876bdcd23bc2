"""Draw the pictures of docs/how-speed-is-measured.md from simulated sessions: `make pictures`."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from firmware_sim.scenario import load_scenario
from firmware_sim.session import record
from rolltrack import load_protocol
from rolltrack.core.events import Event, FinalSpeed, LiveSpeed
from rolltrack.core.motion.axle import AxleFinder
from rolltrack.core.motion.final import FinalEstimator
from rolltrack.core.motion.naive import naive_speed_mps
from rolltrack.core.sample import ImuSamples
from rolltrack.core.setup import Setup
from rolltrack.core.tracker import Tracker

HERE = Path(__file__).parent
SCENARIO, SEED = "typical", 3
# Okabe and Ito's colours, told apart by everybody.
TRUE, NAIVE, LIVE, FINAL = "#000000", "#D55E00", "#0072B2", "#009E73"


def stroke() -> None:
    """The fastest stroke of a session, as four methods see it."""
    trace = record(load_scenario(SCENARIO), SEED).trace
    samples, true = ImuSamples(trace.t_s, trace.accel_mps2, None), trace.true_speed_mps
    assert true is not None
    finder = AxleFinder(hint=(0.0, 0.0, 1.0))
    finder.see_turning(samples)
    naive = naive_speed_mps(samples.t_s, trace.accel_mps2, finder.axle, 0.075)
    final, final_sd, live = _ours(samples)
    peak = int(np.nanargmax(np.abs(true)))
    at = slice(peak - 110, peak + 110)
    t_s, sign = samples.t_s[at] - samples.t_s[peak], 100 * np.sign(true[peak])
    figure, axes = plt.subplots(figsize=(7, 3.6))
    band = 2 * 100 * final_sd[at]
    axes.plot(t_s, sign * naive[at], color=NAIVE, label="obvious reading")
    axes.plot(t_s, sign * live[at], color=LIVE, label="live, 0.3 s later")
    middle = sign * final[at]
    axes.fill_between(t_s, middle - band, middle + band, color=FINAL, alpha=0.35, lw=0)
    axes.plot(t_s, middle, color=FINAL, label="final, with twice its deviation")
    axes.plot(t_s, sign * true[at], color=TRUE, ls="--", lw=1, label="truth")
    axes.set(xlabel="s from the peak", ylabel="cm/s", title="One fast stroke (simulated)")
    axes.legend(frameon=False, fontsize="small")
    _save(figure, "stroke.svg")


def lag() -> None:
    """How the error falls when the answer may wait."""
    trace = record(load_scenario(SCENARIO), SEED).trace
    samples, true = ImuSamples(trace.t_s, trace.accel_mps2, None), trace.true_speed_mps
    assert true is not None
    finder = AxleFinder(hint=(0.0, 0.0, 1.0))
    finder.see_turning(samples)
    estimator = FinalEstimator(0.075)
    estimator.estimate(samples, finder, slice(None))
    waits = np.arange(0, 51, 5)
    places = np.flatnonzero(np.abs(true) > 0.006)[::23]
    places = places[(places > 120) & (places < len(samples) - 60)]
    errors = np.array(
        [[_error(estimator, finder, samples, true, i, w) for w in waits] for i in places]
    )
    rms = 100 * np.sqrt(np.nanmean(errors**2, axis=0))
    figure, axes = plt.subplots(figsize=(7, 3.2))
    axes.semilogy(waits / 100, rms, "o-", color=LIVE)
    axes.axvline(0.3, color=TRUE, ls=":", lw=1)
    axes.annotate("what live may wait", (0.3, rms.max()), ha="right", va="top", rotation=90)
    axes.set(
        xlabel="s waited for readings after the instant",
        ylabel="RMS error where known, cm/s",
        title="What waiting buys (simulated; no-slip time 0.087 s)",
    )
    _save(figure, "lag.svg")


def _error(
    estimator: FinalEstimator,
    finder: AxleFinder,
    samples: ImuSamples,
    true: np.ndarray,
    at: int,
    wait: int,
) -> float:
    window = samples[at - 100 : at + wait + 1]
    return float(estimator.estimate(window, finder, None).speed_mps[100] - true[at])


def _ours(samples: ImuSamples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    setup = Setup(
        roller="picture",
        athlete="nobody",
        protocol=load_protocol("slow-release"),
        radius_m=0.075,
        axle=(0.0, 0.0, 1.0),
        idle_s=None,
        start_at_once=True,
        keep_series=True,
    )
    tracker = Tracker(setup)
    events: list[Event] = [*tracker.feed(samples), *tracker.finish()]
    final, sd, live = (np.full(len(samples), np.nan) for _ in range(3))
    for event in events:
        if isinstance(event, FinalSpeed | LiveSpeed):
            at = np.searchsorted(samples.t_s, event.block.t_s)
            if isinstance(event, LiveSpeed):
                live[at] = event.block.speed_mps
            else:
                final[at], sd[at] = event.block.speed_mps, event.block.speed_sd_mps
    return final, sd, live


def _save(figure: plt.Figure, name: str) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(HERE / name, metadata={"Date": None, "Creator": None})
    print(f"wrote {name}")


if __name__ == "__main__":
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "rolltrack"
    mpl.rcParams["svg.fonttype"] = "none"
    stroke()
    lag()
