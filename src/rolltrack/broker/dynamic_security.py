"""Accounts -> the file of mosquitto's dynamic security plugin.

With it, accounts can be changed while the broker runs (mosquitto_ctrl(1)). The broker writes the
file too, so what is not ours in it is kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rolltrack.broker.passwords import Hashed, encoded
from rolltrack.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rolltrack.broker.roles import Account, Grant

PREFIX = "rolltrack-"
ACL_TYPES = {
    "read": ("subscribePattern", "publishClientReceive"),
    "write": ("publishClientSend",),
}
NOTHING_BY_DEFAULT = {
    "publishClientSend": False,
    "publishClientReceive": False,
    "subscribe": False,
    "unsubscribe": True,
}


def dynamic_security_text(
    accounts: Sequence[Account], hashes: Mapping[str, Hashed], before: str = ""
) -> str:
    """The file, with the foreign clients, groups and roles that were in it `before`.

    Raises:
        InputError: what was there before is not such a file.
    """
    old = _parse(before)
    names = {account.name for account in accounts}
    theirs = [
        client
        for client in old.get("clients", ())
        if not _is_ours(client) and client.get("username") not in names
    ]
    roles = [
        role
        for role in old.get("roles", ())
        if not str(role.get("rolename", "")).startswith(PREFIX)
    ]
    document = old | {
        "defaultACLAccess": NOTHING_BY_DEFAULT,
        "clients": [_client(account, hashes[account.name]) for account in accounts] + theirs,
        "roles": [_role(account) for account in accounts] + roles,
    }
    return json.dumps(document, indent=2) + "\n"


def parse_clients(text: str) -> dict[str, Hashed]:
    """The passwords of all clients in a file.

    Raises:
        InputError: this is not such a file.
    """
    found = {}
    for client in _parse(text).get("clients", ()):
        parts = (client.get("salt"), client.get("password"), client.get("iterations"))
        if hashed := Hashed.from_text(*parts):
            found[str(client.get("username"))] = hashed
    return found


def _client(account: Account, hashed: Hashed) -> dict[str, Any]:
    return {
        "username": account.name,
        "textname": account.about,
        "roles": [{"rolename": PREFIX + account.name}],
        "password": encoded(hashed.digest),
        "salt": encoded(hashed.salt),
        "iterations": hashed.iterations,
    }


def _role(account: Account) -> dict[str, Any]:
    acls = [each for grant in account.grants for each in _acls(grant)]
    return {"rolename": PREFIX + account.name, "textname": account.about, "acls": acls}


def _acls(grant: Grant) -> list[dict[str, Any]]:
    return [
        {"acltype": acl_type, "topic": grant.topic, "allow": True}
        for acl_type in ACL_TYPES[grant.action]
    ]


def _is_ours(client: Mapping[str, Any]) -> bool:
    own = f"{PREFIX}{client.get('username')}"
    return any(role.get("rolename") == own for role in client.get("roles", ()))


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text or "{}")
        lists = [document.get(key, []) for key in ("clients", "roles")]
        sound = all(isinstance(each, dict) for entries in lists for each in entries)
    except (ValueError, AttributeError, TypeError):
        sound = False
    if not sound:
        raise InputError(
            "dynamic-security.json is not a file of mosquitto's plugin.",
            hint="Restore a backup, or move it away: everybody then gets a new password.",
        )
    return dict(document)
