"""The house keeps its shape."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_LINES = 400


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_source_file_is_longer_than_can_be_read_at_a_sitting():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.suffix == ".py"
        and (lines := len(path.read_text("utf-8").splitlines())) > LONGEST_LINES
    }
    assert long == {}


@pytest.mark.parametrize("package", ["src/rolltrack", "firmware_sim"])
def test_every_package_says_what_it_is_for(package):
    for init in (ROOT / package).rglob("__init__.py"):
        assert init.read_text("utf-8").startswith('"""'), init


def test_nothing_names_the_machine_it_was_made_on():
    here = (f"{ROOT}/", f"{Path.home()}/")
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".json"}:
            text = path.read_text("utf-8")
            assert not any(place in text for place in here), path


def test_the_version_is_written_once():
    assert "__version__ =" not in "".join(
        path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py")
    )
