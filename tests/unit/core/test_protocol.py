"""What a rolling protocol may say, and what another limit makes of it."""

from __future__ import annotations

import copy
import math
import tomllib
from dataclasses import replace
from importlib import resources

import pytest

from rolltrack.core.coaching.protocol import LEAST_LIMIT_MPS, MOST_LIMIT_MPS, RollingProtocol
from rolltrack.errors import UsageError
from rolltrack.protocols import load_protocol

TEXT = (resources.files("rolltrack") / "rolling_protocols" / "slow-release.toml").read_text("utf-8")
SLOW = RollingProtocol.from_table("slow-release", tomllib.loads(TEXT))


def changed(section, **values):
    table = copy.deepcopy(tomllib.loads(TEXT))
    (table if section is None else table[section]).update(values)
    return table


def evidence(**values):
    table = copy.deepcopy(tomllib.loads(TEXT))
    table["evidence"]["hold.min_s"].update(values)
    return table


HUGE = int("9" * 400)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (changed("speed", max_stroke_speed_mps=math.inf), "[speed] max_stroke_speed_mps wants at"),
        (changed("speed", max_stroke_speed_mps=math.nan), "wants a number above 0, not nan"),
        (changed("speed", max_stroke_speed_mps=HUGE), "wants at most 0.5, not 999"),
        (changed("speed", max_stroke_speed_mps=-HUGE), "wants a number above 0, not -999"),
        (changed("speed", max_stroke_speed_mps=50.0), "wants at most 0.5, not 50.0"),
        (
            changed("speed", target_min_mps=1e-3, target_max_mps=2e-3, max_stroke_speed_mps=5e-3),
            "max_stroke_speed_mps wants at least 0.01, not 0.005",
        ),
        (changed("hold", min_s=1e6), "[hold] min_s wants at most 3600"),
        (changed("dose", sessions_per_week_max=1e3), "sessions_per_week_max wants at most 100"),
        (changed("dose", region_min_s=200), "[dose] wants region_min_s <= region_max_s"),
        (changed("dose", sessions_per_week_min=4), "sessions_per_week_min <= sessions_per_week"),
        (changed("hold", max_speed_mps=0.075), "[hold] max_speed_mps wants to be below [speed]"),
        (changed(None, rules=[]), "no rule judges its strokes"),
        (changed(None, rules=["too_fast", "too_fast"]), "rules names 'too_fast' twice"),
        (changed(None, evidence=3), "evidence wants a table for each limit, not 3"),
        (changed("evidence", **{"hold.min_s": 3}), "the limit hold.min_s has no evidence"),
        (changed("evidence", **{"hold.most_s": {}}), "[evidence]: unknown key 'hold.most_s'"),
        (evidence(url=5), "evidence for hold.min_s: url wants a text, not 5"),
        (evidence(says=3), "evidence for hold.min_s: says wants a text, not 3"),
        (changed(None, speed=3), "[speed] target_min_mps wants a number above 0, not None"),
    ],
)
def test_what_no_protocol_can_mean_is_refused_by_name_in_one_short_line(table, says):
    with pytest.raises(UsageError) as fault:
        RollingProtocol.from_table("mine", table)
    text = str(fault.value)
    assert text.startswith("rolling protocol 'mine'")
    assert says in text
    assert "\n" not in text
    assert len(text) < 250


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('rules = ["too_fast"]', 'rules = ["too_slow"]', "unknown rule 'too_slow'"),
        ("0.075", "9" * 400, "max_stroke_speed_mps wants at most 0.5"),
        ("0.075", "9" * 5000, "not TOML: a number has too many digits"),
        ("0.075", "[" * 5000, "not TOML: values are nested too deeply"),
        ("0.075", "inf", "max_stroke_speed_mps wants at most 0.5, not inf"),
    ],
)
def test_a_file_that_says_so_is_refused_too(tmp_path, old, new, says):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(UsageError) as fault:
        load_protocol(str(path))
    assert "mine" in str(fault.value)
    assert says in str(fault.value)


def test_a_dose_may_be_one_number():
    table = changed("dose", region_min_s=90, region_max_s=90, sessions_per_week_min=3)
    assert RollingProtocol.from_table("mine", table).region_min_s == 90


@pytest.mark.parametrize(
    ("limit_mps", "band_mps"),
    [
        (0.2, (0.03, 0.04)),
        (0.04, (0.03, 0.04)),
        (0.035, (0.03, 0.035)),
        (0.03, (0.015, 0.03)),
        (0.02, (0.01, 0.02)),
    ],
)
def test_a_narrow_band_is_left_alone_by_a_limit_that_leaves_it_room(limit_mps, band_mps):
    narrow = replace(SLOW, target_min_mps=0.03, target_max_mps=0.04)
    other = narrow.with_limit(limit_mps)
    assert (other.target_min_mps, other.target_max_mps) == band_mps
    assert other.max_stroke_speed_mps == limit_mps


@pytest.mark.parametrize("limit_mps", [math.nan, math.inf, -math.inf, -0.05, 0.0, 0.009, 0.51])
def test_a_limit_that_none_can_keep_to_is_refused(limit_mps):
    with pytest.raises(UsageError, match=r"out of range\. Give 10 to 500 mm/s"):
        SLOW.with_limit(limit_mps)


def test_the_ends_of_the_range_are_limits():
    for limit_mps in (LEAST_LIMIT_MPS, MOST_LIMIT_MPS):
        assert SLOW.with_limit(limit_mps).max_stroke_speed_mps == limit_mps


def test_a_limit_within_what_counts_as_a_hold_is_refused():
    with pytest.raises(UsageError, match="up to 20 mm/s 'slow-release' calls it a hold"):
        replace(SLOW, hold_max_speed_mps=0.02).with_limit(0.02)
