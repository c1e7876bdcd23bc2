"""Three synthetic sessions, made by the simulator's physics; nobody rolled them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from rolltrack.errors import UsageError

_ENDING = ".csv.gz"


def _folder() -> Path:
    return Path(str(resources.files("rolltrack.traces.samples")))


def sample_names() -> tuple[str, ...]:
    """Names of the traces that come with rolltrack, sorted."""
    return tuple(sorted(p.name.removesuffix(_ENDING) for p in _folder().glob(f"*{_ENDING}")))


def sample_trace(name: str) -> Path:
    """Path of a trace that comes with rolltrack.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in sample_names():
        raise UsageError(
            f"no bundled trace {name!r}.", hint=f"There are: {', '.join(sample_names())}."
        )
    return _folder() / f"{name}{_ENDING}"
