"""`rolltrack analyse` on the bundled traces: table, document, series, and what it refuses."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import pytest

from firmware_sim.scenario import load_scenario
from firmware_sim.session import generate
from firmware_sim.trace import write_trace
from rolltrack.cli.main import main
from rolltrack.traces.samples import sample_trace

CALF = str(sample_trace("calf"))
STROKE_KEYS = {
    "n",
    "start_s",
    "end_s",
    "direction",
    "duration_s",
    "length_m",
    "mean_speed_mps",
    "peak_speed_mps",
    "mean_speed_sd_mps",
    "too_fast",
    "reasons",
}


@pytest.fixture(autouse=True)
def in_english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def analysed(capsys, *arguments):
    assert main(["analyse", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def without_radius(tmp_path):
    path = tmp_path / "plain.csv"
    lines = gzip.decompress(Path(CALF).read_bytes()).decode().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("#")))
    return str(path)


def test_the_document_is_the_contracts(capsys):
    document = analysed(capsys, CALF)
    assert (document["v"], document["trace"], document["radius_m"]) == (1, CALF, 0.075)
    assert document["protocol"] == "slow-release"
    for stroke in document["strokes"]:
        assert stroke.keys() >= STROKE_KEYS
        assert stroke["mean_speed_mps"] == pytest.approx(
            stroke["length_m"] / stroke["duration_s"], rel=1e-3
        )
        assert stroke["too_fast"] == bool(stroke["reasons"])
    assert document["session"]["strokes"] == len(document["strokes"]) == 8
    assert document["session"]["too_fast_strokes"] == 3


def test_the_radius_of_the_command_line_scales_lengths(capsys):
    default = analysed(capsys, CALF, "--sensors", "gyro")
    doubled = analysed(capsys, CALF, "--sensors", "gyro", "--radius-mm", "150")
    assert doubled["radius_m"] == 0.15
    assert doubled["strokes"][0]["length_m"] == pytest.approx(
        2 * default["strokes"][0]["length_m"], rel=0.05
    )


def test_without_any_radius_it_says_what_it_assumed(capsys, tmp_path):
    assert main(["analyse", without_radius(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["radius_m"] == 0.075
    (line,) = captured.err.splitlines()
    assert "75 mm is assumed" in line


def test_people_get_a_table_and_sentences(capsys):
    assert main(["analyse", CALF]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.rstrip().endswith("too fast")]) == 3
    assert len([line for line in lines if line.rstrip().endswith("ok")]) == 5
    assert any("8 strokes, 3 of them faster than the limit" in line for line in lines)


def test_germans_read_german_with_a_decimal_comma(capsys, tmp_path):
    trace, series = without_radius(tmp_path), str(tmp_path / "series.csv")
    assert main(["analyse", trace, "--lang", "de", "--series", series]) == 0
    captured = capsys.readouterr()
    heading, first, *_ = lines = captured.out.splitlines()
    assert heading.split() == [
        *("Zug", "bei", "Länge", "Dauer", "Mittel", "±", "s", "Spitze", "Urteil")
    ]
    assert re.fullmatch(r" *1 [→←] +\d:\d\d +\d+,\d cm +\d,\d s +\d,\d\d ± .* gut *", first)
    assert len([line for line in lines if line.rstrip().endswith("zu schnell")]) == 3
    assert any("8 Züge, davon 3 schneller als die Grenze" in line for line in lines)
    assert max(map(len, lines)) <= 80
    note, wrote = captured.err.replace("\n", " ").split(" Mit --radius-mm angeben. ")
    assert note.startswith("Hinweis: Die Aufnahme nennt den Radius der Rolle nicht; 75 mm sind")
    assert wrote.split()[-1] == "geschrieben"


def test_the_environment_chooses_the_language_of_tables_and_not_of_documents(capsys, monkeypatch):
    english = analysed(capsys, CALF)
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert analysed(capsys, CALF) == english
    assert main(["analyse", CALF]) == 0
    assert "Züge" in capsys.readouterr().out


def test_the_series_has_a_row_for_every_reading(capsys, tmp_path):
    path = tmp_path / "series.csv"
    document = analysed(capsys, CALF, "--series", str(path))
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == document["session"]["samples"]
    spoken = [row for row in rows if row["live_said_s"]]
    assert spoken
    assert all(float(row["live_said_s"]) - float(row["t_s"]) <= 0.3 for row in spoken)
    assert all((row["valid"] == "1") == bool(row["speed_mps"]) for row in rows)


def test_slow_strokes_of_a_worn_phone_have_a_tempo_and_no_speed(capsys, tmp_path):
    trace = tmp_path / "worn.csv"
    write_trace(trace, generate(load_scenario("phone-on-body"), 7))
    document = analysed(capsys, str(trace), "--shape", "body")
    slow = [stroke for stroke in document["strokes"] if stroke["mean_speed_mps"] is None]
    fast = [stroke for stroke in document["strokes"] if stroke["mean_speed_mps"] is not None]
    assert len(slow) >= 4
    assert len(fast) >= 4
    for stroke in slow:
        assert stroke.keys() >= STROKE_KEYS
        assert stroke["length_m"] is stroke["peak_speed_mps"] is None
        assert stroke["mean_speed_sd_mps"] is None
        assert stroke["duration_s"] > 1
        assert not stroke["too_fast"]
    assert all(stroke["mean_speed_mps"] > 0.06 for stroke in fast)
    session = document["session"]
    assert session["mean_mm_s"] is session["distance_m"] is None
    assert session["tempo_per_min"] == pytest.approx(
        60 * session["strokes"] / session["rolling_s"], rel=0.01
    )
    assert main(["analyse", str(trace), "--shape", "body"]) == 0
    text = capsys.readouterr().out
    assert "strokes per minute" in text
    assert "speed not known" in text
    assert "Mean speed" not in text


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (["missing.csv"], 3, "missing.csv"),
        ([CALF, "--shape", "cube"], 2, "'--shape': 'cube' is not one of 'roller'"),
        ([CALF, "--radius-mm", "-75"], 2, "'--radius-mm'"),
        ([CALF, "--radius-mm", "nan"], 2, "--radius-mm"),
        ([CALF, "--protocol", "fast"], 2, "no rolling protocol"),
        ([CALF, "--series", "missing/series.csv"], 2, "missing/series.csv"),
    ],
)
def test_what_it_refuses(capsys, tmp_path, monkeypatch, arguments, exit_code, says):
    monkeypatch.chdir(tmp_path)
    assert main(["analyse", *arguments]) == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert says in line


@pytest.mark.parametrize("name", ["calf.csv.gz", "link.csv.gz"])
def test_the_series_never_replaces_the_trace(capsys, tmp_path, name):
    trace = tmp_path / "calf.csv.gz"
    trace.write_bytes(Path(CALF).read_bytes())
    (tmp_path / "link.csv.gz").symlink_to(trace)
    assert main(["analyse", str(trace), "--series", str(tmp_path / name)]) == 2
    assert "would replace the trace" in capsys.readouterr().err
    assert trace.read_bytes() == Path(CALF).read_bytes()


def test_a_trace_that_cannot_be_read_leaves_an_older_series_alone(capsys, tmp_path):
    trace, series = tmp_path / "odd.csv", tmp_path / "series.csv"
    trace.write_text("t_s,gx_radps,gy_radps,gz_radps\n0,0,0,x\n")
    series.write_text("precious")
    assert main(["analyse", str(trace), "--series", str(series)]) == 3
    assert "'x' is not a number" in capsys.readouterr().err
    assert series.read_text() == "precious"


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x13", b"a,b\n1,2\n"], ids=repr)
def test_a_file_that_is_no_trace_is_exit_code_3(capsys, tmp_path, content):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    assert main(["analyse", str(path)]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "odd.csv" in line
