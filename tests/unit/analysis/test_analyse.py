import csv
import gzip
from dataclasses import replace

import numpy as np
import pytest
from support.rolling import PROTOCOL, run, to_and_fro

import rolltrack
from rolltrack import analyse_trace, sample_trace
from rolltrack.core.events import SessionEnded
from rolltrack.errors import InputError, UsageError
from rolltrack.traces.reader import read_trace
from rolltrack.traces.samples import sample_names
from rolltrack.traces.trace import Trace, TraceMeta
from rolltrack.traces.writer import write_trace


def test_every_public_name_can_be_had():
    for name in rolltrack.__all__:
        assert getattr(rolltrack, name) is not None
    with pytest.raises(AttributeError):
        rolltrack.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", sample_names())
def test_a_bundled_trace_holds_slow_and_fast_strokes_and_its_truth_is_met(name):
    path = sample_trace(name)
    analysis = analyse_trace(path, protocol=PROTOCOL)
    fast = [j for j in analysis.strokes if j.too_fast]
    assert 0 < len(fast) < len(analysis.strokes)
    assert analysis.summary.hold_s > 3
    true = read_trace(path).true_speed_mps
    assert analysis.summary.distance_m == pytest.approx(np.abs(true).sum() / 100, rel=0.02)
    assert not analysis.radius_assumed


def test_the_series_has_a_row_per_reading_and_live_is_never_late(tmp_path):
    out = tmp_path / "series.csv"
    analyse_trace(sample_trace("back"), protocol=PROTOCOL, series=out)
    trace = read_trace(sample_trace("back"))
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["t_s"]) for row in rows] == pytest.approx(trace.samples.t_s, abs=1e-6)
    assert {row["valid"] for row in rows} <= {"0", "1"}
    assert all((row["speed_mps"] == "") == (row["valid"] == "0") for row in rows)
    late = [float(r["live_said_s"]) - float(r["t_s"]) for r in rows if r["live_said_s"]]
    assert len(late) > 0.95 * len(rows)
    assert max(late) <= 0.3
    speed = np.array([float(row["speed_mps"] or "nan") for row in rows])
    sign = np.sign(np.nansum(speed * trace.true_speed_mps))
    assert np.sqrt(np.nanmean((sign * speed - trace.true_speed_mps) ** 2)) < 0.003


def test_readings_that_cannot_be_used_still_get_a_row(tmp_path):
    samples = to_and_fro([0.3, -0.3], 0.1, gyro=False).samples
    samples.accel_mps2[300:350] = np.nan
    path, out = tmp_path / "holes.csv", tmp_path / "series.csv"
    write_trace(path, Trace("holes", TraceMeta(radius_m=0.075), samples))
    analysis = analyse_trace(path, protocol=PROTOCOL, series=out)
    rows = out.read_text().splitlines()[1:]
    assert len(rows) == len(samples)
    assert all(row.split(",")[3] == "0" for row in rows[300:350])
    assert analysis.summary.gaps == 1


def test_without_a_radius_it_says_what_it_assumes(tmp_path):
    samples = to_and_fro([0.3], 0.1).samples
    path = tmp_path / "plain.csv"
    write_trace(path, Trace("plain", TraceMeta(), samples))
    analysis = analyse_trace(path, protocol=PROTOCOL)
    assert analysis.radius_m == 0.075
    assert analysis.radius_assumed
    twice = analyse_trace(path, protocol=PROTOCOL, radius_m=0.15, sensors="gyro")
    once = analyse_trace(path, protocol=PROTOCOL, radius_m=0.075, sensors="gyro")
    assert twice.summary.distance_m == pytest.approx(2 * once.summary.distance_m, rel=0.02)


def test_offline_gives_the_strokes_of_the_live_tracker():
    samples = read_trace(sample_trace("calf")).samples
    live = [e for e in run(samples, sensors="auto", idle_s=None) if isinstance(e, SessionEnded)]
    offline = analyse_trace(sample_trace("calf"), protocol=PROTOCOL).strokes
    assert [j.too_fast for j in live[0].strokes] == [j.too_fast for j in offline]
    for one, other in zip(live[0].strokes, offline, strict=True):
        assert one.stroke.start_s == pytest.approx(other.stroke.start_s, abs=0.02)
        assert one.stroke.length_m == pytest.approx(other.stroke.length_m, rel=5e-3)


def test_times_in_milliseconds_are_named(tmp_path):
    path = tmp_path / "ms.csv"
    rows = "".join(f"{10 * k},0,0,9.81\n" for k in range(100))
    path.write_text(f"t_s,ax_mps2,ay_mps2,az_mps2\n{rows}")
    with pytest.raises(InputError, match=r"ms\.csv: from reading to reading 10 s pass.* in ms"):
        analyse_trace(path, protocol=PROTOCOL)


def test_a_recording_that_ends_within_a_stroke_says_so(tmp_path):
    whole = read_trace(sample_trace("calf"))

    strokes = analyse_trace(sample_trace("calf"), protocol=PROTOCOL).strokes
    third = strokes[2].stroke
    kept = (whole.samples.t_s > strokes[0].stroke.start_s + 1.0) & (
        whole.samples.t_s < third.start_s + 1.0
    )
    path = tmp_path / "cut.csv"
    write_trace(path, replace(whole, samples=whole.samples[kept], true_speed_mps=None))
    found = analyse_trace(path, protocol=PROTOCOL).strokes
    assert [judged.stroke.partly_unknown for judged in found] == [True, False, True]


def test_a_still_recording_is_a_session_of_nothing(tmp_path):
    path = tmp_path / "still.csv"
    write_trace(path, Trace("still", TraceMeta(), to_and_fro([], lead_s=5).samples))
    summary = analyse_trace(path, protocol=PROTOCOL).summary
    assert (summary.strokes, summary.mean_speed_mps, summary.distance_m) == (0, None, 0.0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\x02" * 100,
        b"t_s,ax_mps2\n0,1\n",
        b"t_s,ax_mps2,ay_mps2,az_mps2\n",
        b"t_s,ax_mps2,ay_mps2,az_mps2\n0,0,0,nan\n",
        b"t_s,ax_mps2,ay_mps2,az_mps2\n0,0,0,9.8\n0,0,0,9.8\n",
        b"t_s,ax_mps2,ay_mps2,az_mps2\n1,0,0,9.8\n0,0,0,9.8\n",
        b"t_s,ax_mps2,ay_mps2,az_mps2\n" + b"".join(b"%d,0,0,1.0\n" % i for i in range(500)),
        b"t_s,ax_mps2,ay_mps2,az_mps2\n" + b"".join(b"%d,0,0,0.01\n" % i for i in range(500)),
        gzip.compress(b"t_s,ax_mps2,ay_mps2,az_mps2\n0,0,0,9.8\n")[:-9],
    ],
    ids=["empty", "binary", "columns", "no rows", "nan", "twice", "back", "in g", "no g", "cut"],
)
def test_bad_input_is_an_input_error_in_one_line(tmp_path, content):
    path = tmp_path / ("bad.csv.gz" if content[:2] == b"\x1f\x8b" else "bad.csv")
    path.write_bytes(content)
    with pytest.raises(InputError) as fault:
        analyse_trace(path, protocol=PROTOCOL)
    assert "\n" not in str(fault.value)


def test_a_name_that_is_not_bundled_lists_those_that_are():
    with pytest.raises(UsageError, match="calf"):
        sample_trace("elbow")


def test_a_long_trace_is_read_in_bounded_memory(tmp_path):
    """Half an hour stands for ten: spans of two minutes are let go as they are done."""
    samples = to_and_fro([0.3, -0.3] * 150, 0.1, gyro=False).samples
    path = tmp_path / "long.csv"
    write_trace(path, Trace("long", TraceMeta(radius_m=0.075), samples))
    seen: list[float] = []
    analysis = analyse_trace(path, protocol=PROTOCOL, progress=seen.append)
    assert analysis.summary.strokes == 300
    assert seen[-1] == pytest.approx(1.0)
    assert seen == sorted(seen)
