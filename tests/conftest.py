"""What every test may rely on."""

from __future__ import annotations

import logging

import pytest
from support.postgresql import cluster, database

__all__ = ["cluster", "database"]


@pytest.fixture(autouse=True)
def logging_as_before():
    """A command run in this process sets up logging for good; the next test must not notice."""
    root, ours = logging.getLogger(), logging.getLogger("rolltrack")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
