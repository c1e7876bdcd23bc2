"""Journals, whole and damaged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolltrack.core.events import LimitSet
from rolltrack.core.sample import ImuSamples, SignalGap
from rolltrack.protocols import load_protocol
from rolltrack.store.journal import JournalHead, JournalWriter, left_journals

HEAD = JournalHead(
    session_id="019ab2f1-7c3a-7d10-8a51-0f6c2b9d4e77",
    started_s=2.5,
    roller="rt-1",
    athlete="a7k2",
    protocol=load_protocol("slow-release"),
    radius_m=0.075,
    shape="roller",
    region="calf-left",
    epoch_unix_s=1_763_900_000.0,
    id_salt=b"salt",
    axle=(0.0, 1.0, 0.0),
)
ITEMS = [
    ImuSamples(np.arange(5) / 100, np.ones((5, 3)), None),
    SignalGap(0.04, 0.3, lost=25, reason="packets_lost"),
    ImuSamples(
        0.3 + np.arange(3) / 100,
        np.full((3, 3), np.nan),
        np.full((3, 3), 0.5),
        np.array([True, False, True]),
    ),
    LimitSet(0.33, 0.05),
]


def written(folder, items=ITEMS):
    writer = JournalWriter(folder, HEAD)
    for item in items:
        writer.append([item])
    writer.close()
    return writer.path


def read(folder):
    (journal,) = left_journals(folder)
    items = list(journal.items())
    journal.close()
    return journal.head, items


def assert_same(found, expected):
    assert type(found) is type(expected)
    if isinstance(found, SignalGap | LimitSet):
        assert found == expected
        return
    for name in ("t_s", "accel_mps2", "gyro_radps", "clipped"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_what_was_written_is_read(tmp_path):
    written(tmp_path)
    head, items = read(tmp_path)
    assert head == HEAD
    assert len(items) == len(ITEMS)
    for found, expected in zip(items, ITEMS, strict=True):
        assert_same(found, expected)


def test_only_its_owner_can_read_it(tmp_path):
    path = written(tmp_path / "journals")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@given(data=st.data())
def test_a_file_cut_or_damaged_anywhere_gives_what_is_whole_before(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("journals")
    path = written(folder)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(whole[:at])
    else:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
    head, items = read(folder)
    assert head in (HEAD, None)
    assert len(items) < len(ITEMS) + (head is not None)
    for found, expected in zip(items, ITEMS, strict=False):
        assert_same(found, expected)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_journal_without_a_head_or_with_readings(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("journals")
    (folder / "x.journal").write_bytes(content)
    head, items = read(folder)
    assert head is None
    assert items == []


def test_a_journal_in_use_is_left_alone(tmp_path):
    pytest.importorskip("fcntl")
    writer = JournalWriter(tmp_path, HEAD)
    assert list(left_journals(tmp_path)) == []
    writer.close()
    (journal,) = left_journals(tmp_path)
    journal.remove()
    assert list(tmp_path.iterdir()) == []
