import copy
import tomllib
from dataclasses import replace
from importlib import resources

import pytest

from rolltrack.core.coaching.pace import Pace
from rolltrack.core.coaching.protocol import LIMITS, RollingProtocol
from rolltrack.core.coaching.rules.too_fast import judge
from rolltrack.core.strokes.stroke import Stroke
from rolltrack.errors import UsageError
from rolltrack.protocols import bundled_ids, load_protocol

SLOW = load_protocol("slow-release")
TABLE = tomllib.loads(
    (resources.files("rolltrack") / "rolling_protocols" / "slow-release.toml").read_text("utf-8")
)


def stroke(mean_mps: float, duration_s: float = 3.1) -> Stroke:
    return Stroke(1, 10.0, 10.0 + duration_s, 1, mean_mps * duration_s, 2 * mean_mps, 0.002)


def test_a_fast_stroke_is_told_why_in_words_and_numbers():
    verdict = judge(stroke(0.079), SLOW)
    assert verdict.breached
    assert "7.9 ± 0.2 cm/s for 3.1 s, limit 7.5" in verdict.reason
    assert "Behm" in verdict.reason
    assert "fascia" not in verdict.reason


def test_a_stroke_at_the_limit_is_not_too_fast():
    assert not judge(stroke(0.0749), SLOW).breached
    assert judge(stroke(0.0749), SLOW).reason == ""


def test_a_flag_says_how_likely_it_is_where_that_is_not_nearly_certain():
    close, clear = judge(stroke(0.0755), SLOW), judge(stroke(0.081), SLOW)
    assert close.probability == pytest.approx(0.599, abs=0.001), "a quarter of a deviation above"
    assert "60 % likely" in close.reason
    assert clear.probability > 0.998
    assert "likely" not in clear.reason


def test_a_stroke_that_was_not_seen_whole_is_flagged_only_if_that_is_nearly_certain():
    close, clear = (replace(stroke(mean), partly_unknown=True) for mean in (0.077, 0.081))
    assert judge(replace(close, partly_unknown=False), SLOW).breached
    assert not judge(close, SLOW).breached
    assert judge(clear, SLOW).breached


def test_a_flag_says_that_part_of_the_stroke_was_not_measured():
    cut = replace(stroke(0.081), partly_unknown=True)
    assert judge(cut, SLOW).reason.endswith("Part of the stroke was not measured.")
    assert "not measured" not in judge(stroke(0.081), SLOW).reason


@pytest.mark.parametrize("protocol_id", bundled_ids())
def test_every_bundled_protocol_cites_evidence_for_every_limit(protocol_id):
    protocol = load_protocol(protocol_id)
    for section, keys in LIMITS.items():
        for key in keys:
            evidence = protocol.evidence_for(f"{section}.{key}")
            assert evidence.source
            assert evidence.says


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t["evidence"].pop("speed.max_stroke_speed_mps"), "has no evidence"),
        (lambda t: t["speed"].update(max_sped_mps=1), "Did you mean 'max_speed_mps'"),
        (lambda t: t["speed"].update(max_stroke_speed_mps=-1), "wants a number above 0"),
        (lambda t: t["speed"].update(target_min_mps=0.06), "target_min_mps < target_max_mps"),
        (lambda t: t.pop("name"), "name wants a text"),
        (lambda t: t["evidence"]["hold.min_s"].update(grade="D"), "grade is one of A, B, C"),
        (lambda t: t.update(rules="too_fast"), "rules is not a list"),
    ],
)
def test_a_protocol_file_with_a_fault_is_refused_by_name(change, says):
    table = copy.deepcopy(TABLE)
    change(table)
    with pytest.raises(UsageError) as fault:
        RollingProtocol.from_table("mine", table)
    if "Did you mean" in says:
        assert "unknown key 'max_sped_mps'" in str(fault.value)
    else:
        assert says in str(fault.value)


def test_an_unknown_protocol_names_those_there_are(tmp_path):
    with pytest.raises(UsageError, match="slow-release"):
        load_protocol("fast-release")
    bad = tmp_path / "mine.toml"
    bad.write_text("name = ")
    with pytest.raises(UsageError, match="not TOML"):
        load_protocol(str(bad))


def test_the_cue_has_hysteresis():
    pace = Pace()
    said = []
    for i, speed in enumerate([0.05, 0.076, 0.07, 0.074, 0.07] + [0.06] * 40):
        pace.update(i * 0.01, speed, SLOW)
        said.append(pace.too_fast)
    assert said[:5] == [False, True, True, True, True]
    assert said.index(False, 1) == 5 + 30


def test_the_cue_waits_until_it_is_surer_than_noise():
    pace = Pace()
    pace.update(0.0, 0.0765, SLOW, 0.003)
    assert not pace.too_fast
    pace.update(0.01, -0.0781, SLOW, 0.003)
    assert pace.too_fast


def test_a_moment_of_doubt_is_neither_the_end_of_a_cue_nor_the_start_of_another():
    pace, said = Pace(), []
    for i, speed in enumerate([0.08] + [None] * 10 + [0.08] + [None] * 40):
        pace.update(i * 0.01, speed, SLOW, 0.001)
        said.append(pace.too_fast)
    assert said.index(False) == 12 + 30


def test_standing_still_becomes_a_hold_after_three_seconds():
    pace = Pace()
    states = []
    for i in range(500):
        pace.update(i * 0.01, 0.001, SLOW)
        states.append(pace.state)
    assert states.index("hold") == 300
    pace.update(5.0, None, SLOW)
    assert pace.state == "unknown"
