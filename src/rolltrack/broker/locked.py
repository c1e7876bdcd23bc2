"""A mosquitto that knows who is who: its folder of configuration, rights and passwords."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from rolltrack.broker.acl_file import acl_text, parse_passwords, password_text
from rolltrack.broker.dynamic_security import dynamic_security_text, parse_clients
from rolltrack.broker.passwords import Hashed, new_password
from rolltrack.broker.private_files import make_private_folder, write_private
from rolltrack.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rolltrack.broker.roles import Account

Change: TypeAlias = Literal["new", "kept", "renewed", "removed"]

CONF, ACL, PASSWORDS, DYNAMIC = "mosquitto.conf", "acl", "passwords", "dynamic-security.json"
PLUGIN = "mosquitto_dynamic_security.so"
PLUGIN_FOLDERS = (
    "usr/lib/*-linux-*",
    "usr/lib64",
    "usr/lib",
    "usr/local/lib",
    "opt/homebrew/lib",
)


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the broker takes connections.

    Attributes:
        certificate: PEM; with `key` it makes connections encrypted.
        client_authority: PEM; clients must show a certificate by it, besides their password.
    """

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    client_authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """What became of one account.

    Attributes:
        password_file: where its password stands for handing over; None where that was done.
    """

    name: str
    change: Change
    password_file: str | None


def write_folder(
    folder: Path,
    accounts: Sequence[Account],
    listener: Listener,
    *,
    logins: Path,
    renew: Collection[str] = (),
    plugin: Path | None = None,
) -> tuple[Login, ...]:
    """Write everything; passwords that exist stay, accounts that are not named any more go.

    Args:
        folder: for the broker.
        accounts: who may log in, and their rights.
        listener: where.
        logins: folder for one file per account, with its password.
        renew: accounts that get a new password.
        plugin: the dynamic security plugin, to be used instead of an acl_file.

    Raises:
        InputError: a file that is there cannot be understood.
        UsageError: an account that is to get a new password does not exist.
        OSError: a file cannot be written.
    """
    names = [account.name for account in accounts]
    if unknown := set(renew) - set(names):
        raise UsageError(
            f"There is no account {', '.join(sorted(unknown))}.",
            hint=f"There are {', '.join(names)}.",
        )
    make_private_folder(folder)
    make_private_folder(logins)
    before = _read(folder / DYNAMIC)
    # Both know the same hashes, so changing between the two keeps the passwords.
    known = parse_passwords(_read(folder / PASSWORDS)) | parse_clients(before)
    hashes: dict[str, Hashed] = {}
    told = []
    for name in names:
        hashes[name], login = _login(name, known.get(name), logins, renew=name in renew)
        told.append(login)
    if plugin:
        write_private(folder / DYNAMIC, dynamic_security_text(accounts, hashes, before))
        stale = {ACL, PASSWORDS}
    else:
        write_private(folder / PASSWORDS, password_text(hashes))
        write_private(folder / ACL, acl_text(accounts))
        stale = {DYNAMIC}
    write_private(folder / CONF, configuration(folder, listener, plugin))
    for name in stale:
        (folder / name).unlink(missing_ok=True)
    ours = parse_passwords(_read(folder / PASSWORDS)) | parse_clients(_read(folder / DYNAMIC))
    for name in sorted(set(known) - set(ours)):
        (logins / name).unlink(missing_ok=True)
        told.append(Login(name, "removed", None))
    return tuple(told)


def configuration(folder: Path, listener: Listener, plugin: Path | None) -> str:
    """mosquitto.conf: nobody comes in without a password; what is not granted is denied."""
    lines = [
        "# Written by `rolltrack broker acl`; what you change here is lost when it runs again.",
        "# Settings of your own (persistence, logs) belong into a file that includes this one.",
        "per_listener_settings false",
        f"listener {listener.port} {listener.host}",
        "allow_anonymous false",
        "set_tcp_nodelay true",
    ]
    if listener.certificate:
        lines += [f"certfile {_absolute(listener.certificate)}"]
        lines += [f"keyfile {_absolute(listener.key or listener.certificate)}"]
    if listener.client_authority:
        lines += [f"cafile {_absolute(listener.client_authority)}", "require_certificate true"]
    if plugin:
        lines += [f"plugin {plugin}", f"plugin_opt_config_file {_absolute(folder / DYNAMIC)}"]
    else:
        lines += [f"password_file {_absolute(folder / PASSWORDS)}"]
        lines += [f"acl_file {_absolute(folder / ACL)}"]
    return "\n".join(lines) + "\n"


def find_plugin() -> Path | None:
    """The dynamic security plugin of the mosquitto that is installed here."""
    for folder in PLUGIN_FOLDERS:
        if found := sorted(Path("/").glob(f"{folder}/{PLUGIN}")):
            return found[0]
    return None


def _login(name: str, known: Hashed | None, logins: Path, *, renew: bool) -> tuple[Hashed, Login]:
    """The file with the password comes first: a hash whose password nobody knows is of no use."""
    file = logins / name
    password = _read(file).split("\n", 1)[0]
    if known and not renew:
        fits = bool(password) and known.is_of(password)
        return known, Login(name, "kept", str(file) if fits else None)
    if renew or not password:
        password = new_password()
        write_private(file, password + "\n")
    return Hashed.of(password), Login(name, "renewed" if renew else "new", str(file))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file.", hint="Move it away.") from error


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()
