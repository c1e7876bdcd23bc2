"""`rolltrack protocols`: every limit is shown with its evidence."""

from __future__ import annotations

import json

from rolltrack.cli.main import main
from rolltrack.cli.safety_texts import SAFETY
from rolltrack.protocols import bundled_protocols


def test_list_names_every_bundled_protocol(capsys):
    assert main(["protocols", "list"]) == 0
    text = capsys.readouterr().out
    for protocol in bundled_protocols():
        assert protocol.id in text
    assert main(["protocols", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["id"] for each in listed] == [each.id for each in bundled_protocols()]


def test_show_gives_each_limit_its_evidence_and_the_safety_text(capsys):
    assert main(["protocols", "show", "slow-release"]) == 0
    text = capsys.readouterr().out
    words = " ".join(text.split())
    assert "A stroke is too fast above: 7.5 cm/s (grade B)" in text
    assert "https://pubmed.ncbi.nlm.nih.gov/33105383/" in text
    assert SAFETY["en"] in words


def test_show_as_json_is_complete(capsys):
    assert main(["protocols", "show", "slow-release", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["limits"]["speed.max_stroke_speed_mps"] == 0.075
    assert document["evidence"].keys() == document["limits"].keys()
    assert all(each["source"] for each in document["evidence"].values())
