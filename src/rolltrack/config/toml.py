"""The text of a TOML file -> its content, whatever somebody wrote."""

from __future__ import annotations

import tomllib
from typing import Any


def parse_toml(text: str) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        ValueError: it is not TOML; what is wrong, and where as far as that is known.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # Python reads no more than 4300 digits
        raise ValueError("a number has too many digits") from None
    except RecursionError:
        raise ValueError("values are nested too deeply") from None
