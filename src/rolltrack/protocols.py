"""Rolling protocols on disk -> `RollingProtocol`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from rolltrack.config.toml import parse_toml
from rolltrack.core.coaching.protocol import RollingProtocol
from rolltrack.core.coaching.rules import RULES
from rolltrack.errors import UsageError

_BUNDLED = resources.files("rolltrack") / "rolling_protocols"


def bundled_ids() -> tuple[str, ...]:
    """Ids of the protocols that come with rolltrack, sorted."""
    names = (entry.name for entry in _BUNDLED.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_protocol(id_or_path: str) -> RollingProtocol:
    """A bundled protocol by its id, or one of your own by its file.

    Raises:
        UsageError: there is none of that name, or its content is not a rolling protocol.
    """
    if id_or_path in bundled_ids():
        text, protocol_id = (_BUNDLED / f"{id_or_path}.toml").read_text("utf-8"), id_or_path
    else:
        path = Path(id_or_path).expanduser()
        try:
            text, protocol_id = path.read_text("utf-8"), path.stem
        except (OSError, UnicodeDecodeError) as fault:
            raise UsageError(
                f"no rolling protocol {id_or_path!r}.",
                hint=f"Bundled: {', '.join(bundled_ids())}; or give the path of a TOML file.",
            ) from fault
    try:
        table = parse_toml(text)
    except ValueError as fault:
        raise UsageError(f"rolling protocol {id_or_path!r} is not TOML: {fault}.") from fault
    protocol = RollingProtocol.from_table(protocol_id, table)
    for rule in protocol.rules:
        if rule not in RULES:
            raise UsageError(
                f"rolling protocol {protocol_id!r}: unknown rule {rule!r}.",
                hint=f"Known: {', '.join(RULES)}.",
            )
    return protocol


def bundled_protocols() -> tuple[RollingProtocol, ...]:
    """All protocols that come with rolltrack."""
    return tuple(load_protocol(protocol_id) for protocol_id in bundled_ids())
