"""Passwords as mosquitto keeps them: PBKDF2 with SHA-512 (mosquitto_passwd(1), "$7$")."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field

PASSWORD_BYTES = 18
SALT_BYTES = 12  # mosquitto 2.0 knows no other length
HASH_BYTES = 64
ITERATIONS = 1000
"""Few, because every login costs them in the broker's only thread; our passwords hold 144 bits."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """What a broker keeps instead of a password."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    iterations: int = ITERATIONS

    @classmethod
    def of(cls, password: str, iterations: int = ITERATIONS) -> Hashed:
        """Hash with a new salt."""
        salt = secrets.token_bytes(SALT_BYTES)
        digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, HASH_BYTES)
        return cls(salt, digest, iterations)

    def is_of(self, password: str) -> bool:
        """Whether this is the password."""
        digest = hashlib.pbkdf2_hmac(
            "sha512", password.encode(), self.salt, self.iterations, len(self.digest)
        )
        return secrets.compare_digest(digest, self.digest)

    def __str__(self) -> str:
        """As in a password file, behind the user name."""
        return f"$7${self.iterations}${encoded(self.salt)}${encoded(self.digest)}"

    @classmethod
    def parse(cls, text: str) -> Hashed | None:
        """Read what stands behind the user name; None: another kind of hash, or none."""
        parts = text.strip().split("$")
        if len(parts) != 5 or parts[:2] != ["", "7"]:  # noqa: PLR2004  # "$7$iterations$salt$hash"
            return None
        return cls.from_text(parts[3], parts[4], parts[2])

    @classmethod
    def from_text(cls, salt: object, digest: object, iterations: object) -> Hashed | None:
        """From base64 and a number; None when they are something else."""
        try:
            return cls(
                base64.b64decode(str(salt), validate=True),
                base64.b64decode(str(digest), validate=True),
                int(str(iterations)),
            )
        except (ValueError, binascii.Error):
            return None


def new_password() -> str:
    """A random one, 24 letters, digits, - and _."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def encoded(data: bytes) -> str:
    """Base64, as text."""
    return base64.b64encode(data).decode()
