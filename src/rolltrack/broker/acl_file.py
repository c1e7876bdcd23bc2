"""Accounts -> mosquitto's acl_file and password_file (mosquitto.conf(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolltrack.broker.passwords import Hashed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rolltrack.broker.roles import Account

HEADER = "# Written by `rolltrack broker acl`; what you change here is lost when it runs again.\n"


def acl_text(accounts: Iterable[Account]) -> str:
    """What is not granted here is denied."""
    text = HEADER
    for account in accounts:
        lines = [f"# {account.about}", f"user {account.name}"]
        lines += [f"topic {grant.action} {grant.topic}" for grant in account.grants]
        text += "\n" + "\n".join(lines) + "\n"
    return text


def password_text(hashes: Mapping[str, Hashed]) -> str:
    """One line per account."""
    return "".join(f"{name}:{hashed}\n" for name, hashed in hashes.items())


def parse_passwords(text: str) -> dict[str, Hashed]:
    """What `password_text`, or mosquitto_passwd, has written; other lines are left out."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if hashed := Hashed.parse(rest):
            found[name] = hashed
    return found
