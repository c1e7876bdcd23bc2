"""Recordings by other people, as far as they are at hand. None is part of the project.

* wheel: a wheelchair's wheel against its own gyroscope times one fitted scale, native speed, the
  straight part only; as recorded, at 400 Hz, and averaged to the 100 Hz of the other rows.
* BROAD: an IMU moved freely by hand. Nothing rolls, so while it moves the only right answer is
  "unknown"; in the breaks it lies still.
* BROAD, as worn: the same movements as if the hand were a body on a roller: half the speed along
  the horizontal line moved along, by optical motion capture. Directions change and much is
  vertical, so most of it is rightly unknown; what is said is compared by its size.
* ab-wheel: the turning of a real ab-wheel under a real hand, by its gyroscope, put through the
  simulator's typical floor and accelerometer; as often as there are seeds.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from _accuracy_metrics import sums
from _accuracy_session import Answer, Session
from real import STRAIGHT_S, WHEEL, WHEEL_RADIUS_M, reference
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfiltfilt

from firmware_sim.kinematics import Truth
from firmware_sim.scenario import load_scenario
from firmware_sim.session import fine_rate_hz, record
from rolltrack.core.sample import ImuSamples
from rolltrack.traces.convert import convert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _accuracy_metrics import Sums
    from _accuracy_session import SensorSet

WHEEL_ROWS = {"real wheel, 400 Hz": None, "real wheel, 100 Hz": 100.0}
"""Each with the rate in Hz that it is averaged to, None as recorded."""
CARRIED_ROW, AB_WHEEL_ROW = "BROAD, carried", "ab-wheel, real turning"
WORN_ROW = "BROAD translation, as worn"
SENSORS: dict[str, tuple[SensorSet, ...]] = {
    **dict.fromkeys(WHEEL_ROWS, ("accel",)),
    CARRIED_ROW: ("accel", "both"),
    WORN_ROW: ("both",),
    AB_WHEEL_ROW: ("accel", "both"),
}

_BROAD = "broad"
_AB_WHEEL = "ab_wheel_phyphox/Raw_Data_12_12.csv"
_HAND_HZ = 12.0
"""No hand turns a roller to and fro faster; above is the noise of the gyroscope."""
_RADIUS_M = 0.075
_LINE_S = 5.0
_OF_WORN = {"rmse", "p95", "mae", "within", "calibration", "known", "us"}
_REST_S = 2.0
"""Stillness put before the ab-wheel's turning: the recording begins in the middle of it."""


def sessions(data: Path, first_seed: int, seeds: int) -> Iterator[tuple[str, int]]:
    """Names and numbers of what is there."""
    if (data / WHEEL).exists():
        yield from ((name, 0) for name in WHEEL_ROWS)
    for number in range(len(_broad_files(data))):
        yield CARRIED_ROW, number
    for number in range(len(_translations(data))):
        yield WORN_ROW, number
    if (data / _AB_WHEEL).exists():
        for seed in range(first_seed, first_seed + seeds):
            yield AB_WHEEL_ROW, seed


def missing(data: Path) -> list[str]:
    """What is not there, and why."""
    notes = []
    if not (data / WHEEL).exists():
        notes.append(f"real wheel: no {WHEEL} in the data folder.")
    if not (data / _AB_WHEEL).exists():
        notes.append(f"{AB_WHEEL_ROW}: no {_AB_WHEEL} in the data folder.")
    if not _broad_files(data):
        why = f"no {_BROAD}/*.hdf5 in the data folder" if find_spec("h5py") else "needs h5py"
        notes.append(f"{CARRIED_ROW}: {why}.")
    return notes


def load(name: str, number: int, data: Path) -> Session:
    """One session of them."""
    if name in WHEEL_ROWS:
        return _wheel(data, WHEEL_ROWS[name])
    if name == CARRIED_ROW:
        return _broad(_broad_files(data)[number])
    if name == WORN_ROW:
        return _worn(_translations(data)[number])
    return _ab_wheel(data / _AB_WHEEL, number)


def figures(name: str, session: Session, answer: Answer) -> Sums:
    """The figures that mean something: of the wheel no strokes, and the straight part only."""
    if name == WORN_ROW:
        answer = replace(answer, speed_mps=np.abs(answer.speed_mps))
        return {key: pair for key, pair in sums(session, answer).items() if key in _OF_WORN}
    if name not in WHEEL_ROWS:
        return sums(session, answer)
    t_s = session.samples.t_s
    straight = (t_s > STRAIGHT_S[0]) & (t_s < STRAIGHT_S[1])
    known = straight & np.isfinite(answer.speed_mps)
    said, true = answer.speed_mps[known], session.true_mps
    scale = float(np.abs(said @ true[known]) / (true[known] @ true[known])) if known.any() else 1.0
    part = Session(
        session.samples[straight.argmax() : len(t_s) - straight[::-1].argmax()],
        scale * true[straight],
        (),
        session.radius_m,
        session.axle,
    )
    sd = None if answer.sd_mps is None else answer.sd_mps[straight]
    share = float(straight.mean())
    return sums(part, Answer(answer.speed_mps[straight], sd, (), share * answer.cpu_s))


def _wheel(data: Path, rate_hz: float | None) -> Session:
    samples = convert(data / WHEEL, radius_m=WHEEL_RADIUS_M).trace.samples
    if rate_hz is not None:
        samples = _averaged(samples, rate_hz)
    true_mps, axle = reference(samples)
    return Session(samples, true_mps, (), WHEEL_RADIUS_M, axle)


def _averaged(samples: ImuSamples, rate_hz: float) -> ImuSamples:
    """Means over equal times, as a slower sensor's own filter takes them."""
    assert samples.accel_mps2 is not None
    assert samples.gyro_radps is not None
    columns = np.column_stack([samples.t_s, samples.accel_mps2, samples.gyro_radps])
    period = ((samples.t_s - samples.t_s[0]) * rate_hz).astype(int)
    first = np.flatnonzero(np.diff(period, prepend=-1))
    count = np.diff(first, append=len(columns))
    means = np.add.reduceat(columns, first, axis=0) / count[:, np.newaxis]
    return ImuSamples(means[:, 0], means[:, 1:4], means[:, 4:])


def _broad_files(data: Path) -> list[Path]:
    return sorted((data / _BROAD).glob("*.hdf5")) if find_spec("h5py") else []


def _broad(path: Path) -> Session:
    import h5py  # noqa: PLC0415 - optional: the recordings are, too

    with h5py.File(path) as file:
        rate_hz = float(file.attrs["sampling_rate"])
        moving = np.flatnonzero(file["movement"][:])
        part = slice(int(moving[0]), int(moving[-1]) + 1)
        accel = np.asarray(file["imu_acc"][part], dtype=float)
        gyro = np.asarray(file["imu_gyr"][part], dtype=float)
        lies = np.asarray(file["movement"][part]) == 0
    t_s = np.arange(len(accel)) / rate_hz
    return Session(
        ImuSamples(t_s, accel, gyro), np.where(lies, 0.0, np.nan), (), _RADIUS_M, axle=None
    )


def _translations(data: Path) -> list[Path]:
    return [path for path in _broad_files(data) if "translation" in path.name]


def _worn(path: Path) -> Session:
    import h5py  # noqa: PLC0415 - optional: the recordings are, too

    with h5py.File(path) as file:
        rate_hz = float(file.attrs["sampling_rate"])
        moving = np.flatnonzero(file["movement"][:])
        part = slice(int(moving[0]), int(moving[-1]) + 1)
        accel = np.asarray(file["imu_acc"][part], dtype=float)
        gyro = np.asarray(file["imu_gyr"][part], dtype=float)
        place = np.asarray(file["opt_pos"][part, :2], dtype=float)
    t_s = np.arange(len(accel)) / rate_hz
    for axis in range(2):
        seen = np.isfinite(place[:, axis])
        place[:, axis] = np.interp(t_s, t_s[seen], place[seen, axis])
    smooth = butter(2, 2 * _HAND_HZ / 2 / rate_hz, output="sos")
    speed = sosfiltfilt(smooth, np.gradient(place, 1 / rate_hz, axis=0), axis=0)
    push = np.gradient(speed, 1 / rate_hz, axis=0)
    scatter = np.einsum("ni,nj->nij", push, push)
    line = np.linalg.eigh(gaussian_filter1d(scatter, _LINE_S * rate_hz, axis=0))[1][:, :, 1]
    along = np.abs(np.einsum("ni,ni->n", speed, line)) / 2
    return Session(ImuSamples(t_s, accel, gyro), along, (), _RADIUS_M, axle=None, shape="body")


def _ab_wheel(path: Path, seed: int) -> Session:
    samples = convert(path, radius_m=_RADIUS_M).trace.samples
    assert samples.gyro_radps is not None
    scenario = load_scenario("typical")
    fine_hz = fine_rate_hz(scenario)
    rate = samples.gyro_radps @ np.linalg.eigh(samples.gyro_radps.T @ samples.gyro_radps)[1][:, 2]
    period_s = float(np.median(np.diff(samples.t_s)))
    rate = sosfiltfilt(butter(2, 2 * _HAND_HZ * period_s, output="sos"), rate)
    still_s = np.arange(-_REST_S, -period_s / 2, period_s)
    turning = CubicSpline(
        np.concatenate([still_s, samples.t_s - samples.t_s[0]]) + _REST_S,
        np.concatenate([np.zeros(len(still_s)), rate]),
    )
    t_s = np.arange(0, samples.t_s[-1] - samples.t_s[0] + _REST_S, 1 / fine_hz)
    truth = Truth(t_s, turning.antiderivative()(t_s), turning(t_s), turning(t_s, 1), _RADIUS_M)
    recording = record(scenario, seed, truth)
    trace = recording.trace
    assert trace.true_speed_mps is not None
    return Session(
        ImuSamples(trace.t_s, trace.accel_mps2, trace.gyro_radps),
        trace.true_speed_mps,
        recording.strokes,
        _RADIUS_M,
        np.array([0.0, 0.0, 1.0]),
    )
