"""What msgspec says about a configuration -> one line with file, line, key and what was meant."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from rolltrack.config.settings import (
    ID_PATTERN,
    PREFIX_PATTERN,
    SELECTOR_PATTERN,
    Config,
    RollerConfig,
)
from rolltrack.errors import UsageError

if TYPE_CHECKING:
    import msgspec

Path = tuple[str | int, ...]

_NO_SUCH_WORD = "Invalid enum value "
_PLAIN_WORDS = {
    "`float`": "a number",
    "`int`": "a whole number",
    "`bool`": "true or false",
    "`str`": "text in quotes",
    "`array`": "tables written [[rollers]]",
    "`object`": "a table",
    f"`str` matching regex {ID_PATTERN!r}": "1 to 32 of a-z, 0-9 and -, with no - at the start",
    f"`str` matching regex {PREFIX_PATTERN!r}": "a topic prefix of letters, digits, _, - and /",
    f"`str` matching regex {SELECTOR_PATTERN!r}": '"serial:…" (or ble:, name:, phone:, trace:)',
}


def explain_syntax(message: str, name: str) -> UsageError:
    """Turn the message of a `tomllib.TOMLDecodeError` about the file `name`."""
    said, _, place = message.partition(" (at line ")
    line, _, column = place.rstrip(")").partition(", column ")
    where = f"{name}:{line}" if column else name
    return UsageError(f"{where}: not TOML: {said}.", hint="See docs/configuration.md.")


def explain(message: str, text: str, name: str) -> UsageError:
    """Turn the message of a `msgspec.ValidationError` about `text`, the content of file `name`."""
    said, _, place = message.partition(" - at `$")
    path: Path = tuple(
        int(index) if index else key for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", place)
    )
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", said)
    missing = re.fullmatch(r"Object missing required field `(.*)`", said)
    if unknown:
        key = unknown[1]
        what = f'unknown key "{key}" in {_table(path)}.'
        return UsageError(f"{position(text, name, (*path, key))}: {what}", hint=_nearest(key, path))
    if missing:
        return UsageError(
            f'{position(text, name, path)}: {_table(path)} lacks "{missing[1]}".', hint="Add it."
        )
    if said.startswith(_NO_SUCH_WORD):
        what = f'"{path[-1]}" in {_table(path[:-1])} cannot be {said.removeprefix(_NO_SUCH_WORD)}.'
        return UsageError(
            f"{position(text, name, path)}: {what}", hint="See docs/configuration.md."
        )
    if said == "Number out of range":  # an integer too large for any float
        said = "Expected `float` of a sensible size"
    what = f'"{path[-1]}" in {_table(path[:-1])} must be {_expectation(said)}.'
    return UsageError(f"{position(text, name, path)}: {what}", hint="See docs/configuration.md.")


def position(text: str, name: str, path: Path) -> str:
    """Say where a key of the file `name` stands: "FILE:LINE", or just the file."""
    line = line_of(text, path)
    return name if line is None else f"{name}:{line}"


def line_of(text: str, path: Path) -> int | None:
    """Line of a key in a TOML text, else of its table's header, None when neither is found.

    tomllib reports no positions, so the text is scanned for the plain ways to write a key.
    """
    table: Path = ()
    seen = -1
    header_line = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*(\[\[?)\s*([\w-]+)\s*\]", line)
        if header:
            seen += header[1] == "[["
            table = (header[2], seen) if header[1] == "[[" else (header[2],)
            if table == path[: len(table)]:
                header_line = number
            if table == path:
                return number
        key = re.match(r"\s*\"?([\w-]+)\"?\s*=", line)
        if key and (*table, key[1]) == path:
            return number
    return header_line


def _table(path: Path) -> str:
    if not path:
        return "the file"
    return f"[[{path[0]}]]" if len(path) > 1 else f"[{path[0]}]"


def _nearest(key: str, path: Path) -> str:
    struct: type[msgspec.Struct] = Config
    if path:
        struct = RollerConfig if path[0] == "rollers" else type(getattr(Config(), str(path[0])))
    known = struct.__struct_fields__
    close = difflib.get_close_matches(key, known, n=1)
    return f'Did you mean "{close[0]}"?' if close else f"Known keys: {', '.join(known)}."


def _expectation(said: str) -> str:
    expected, _, got = said.removeprefix("Expected ").partition(", got ")
    words = _PLAIN_WORDS.get(expected)
    if words is None:
        kind, _, bound = expected.rpartition("` ")
        words = f"{_PLAIN_WORDS.get(kind + '`', kind)} {bound}".strip()
    return words + (f", not {_PLAIN_WORDS.get(got, got)}" if got else "")
