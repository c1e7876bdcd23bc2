"""What the documents promise exists, and what exists is documented."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from rolltrack.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "dashboards" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
TEXT = {document: document.read_text("utf-8") for document in DOCUMENTS}


def ids(document: Path) -> str:
    return document.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_link_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT[document]):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_path_named_exists(document):
    for path in re.findall(
        r"`((?:src|firmware_sim|tests|docs|benchmarks)/[\w/.*-]*)`", TEXT[document]
    ):
        if "<" not in path:
            assert list(ROOT.glob(path.rstrip("/"))), path


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_command_named_exists(document):
    for command in re.findall(
        r"(?<![\w/.-])(?<!from )rolltrack ([a-z]+)\b(?! rolltrack)", _code(TEXT[document])
    ):
        assert command in COMMANDS, command


def test_every_command_is_documented():
    everything = "\n".join(TEXT.values())
    for command in COMMANDS:
        assert f"rolltrack {command}" in everything, command


def test_make_lists_the_targets_the_documents_name():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"\bmake ([a-z-]+)\b", _code("\n".join(TEXT.values()))):
        assert f"make {target} " in listed, target


def _code(text: str) -> str:
    """Only what stands in code blocks or between backticks."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))
