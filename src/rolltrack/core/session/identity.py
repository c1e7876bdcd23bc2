"""Session ids without a clock or dice: from the start time and a salt the caller drew."""

from __future__ import annotations

import hashlib
import uuid

_VERSION = 0x7
_VARIANT = 0b10


def session_id(started_unix_s: float, salt: bytes, roller: str) -> str:
    """UUIDv7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then a digest as random bits.

    The same start, salt and roller give the same id, so a session analysed twice is recognised as
    one.
    """
    milliseconds = max(0, round(started_unix_s * 1000))
    text = f"{started_unix_s!r}/{roller}".encode()
    digest = int.from_bytes(hashlib.blake2b(text, key=salt[:64], digest_size=10).digest(), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | digest
    value = value & ~(0xF << 76) | _VERSION << 76
    value = value & ~(0b11 << 62) | _VARIANT << 62
    return str(uuid.UUID(int=value))
