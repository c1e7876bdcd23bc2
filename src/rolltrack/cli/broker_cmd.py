"""`rolltrack broker`: sets up a broker that several people can share."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from rolltrack.broker.locked import Listener, find_plugin, write_folder
from rolltrack.broker.roles import People, accounts_of, administrator
from rolltrack.cli.output import note, print_json, stdout
from rolltrack.config import broker_address
from rolltrack.errors import UsageError
from rolltrack.mqtt import Peer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rolltrack.broker.locked import Login
    from rolltrack.broker.roles import Account

COLOURS = {"new": "green", "renewed": "green", "removed": "yellow", "kept": "dim"}

app = typer.Typer(no_args_is_help=True)


@app.callback()
def broker() -> None:
    """Set up a broker that several people share."""


@app.command()
def acl(
    *,
    out: Annotated[Path, typer.Option(help="Folder for the broker's files.")],
    site: Annotated[list[str], typer.Option(help="A site; repeat it for more.")] = ["home"],  # noqa: B006  # typer copies it
    athlete: Annotated[list[str], typer.Option(help="Sees and commands only what is theirs.")] = [],  # noqa: B006
    coach: Annotated[
        list[str], typer.Option(help="NAME:ATHLETE,… who have agreed to be seen.")
    ] = [],  # noqa: B006
    coach_commands: Annotated[
        list[str], typer.Option(help="NAME:ATHLETE,… whose rollers the coach may command too.")
    ] = [],  # noqa: B006
    sensor: Annotated[
        list[str], typer.Option(help="Roller whose phone or sensor sends raw readings itself.")
    ] = [],  # noqa: B006
    archive: Annotated[list[str], typer.Option(help="Name of an archive.")] = [],  # noqa: B006
    home_assistant: Annotated[bool, typer.Option(help="Let Home Assistant in.")] = False,
    discovery_prefix: Annotated[
        str, typer.Option(help="Where Home Assistant looks for announcements.")
    ] = "homeassistant",
    listen: Annotated[str, typer.Option(help="HOST:PORT to take connections at.")] = "127.0.0.1",
    tls_certificate: Annotated[
        Path | None, typer.Option(help="The broker's certificate (PEM): encrypt.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    client_ca: Annotated[
        Path | None, typer.Option(help="Clients must show a certificate by this authority.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Let passwords cross the network unencrypted.")
    ] = False,
    dynamic_security: Annotated[
        bool, typer.Option(help="For mosquitto's plugin: accounts can change while it runs.")
    ] = False,
    plugin: Annotated[Path | None, typer.Option(help="Where that plugin is.")] = None,
    logins: Annotated[
        Path | None, typer.Option(help="Folder for the passwords to hand out; else OUT/logins.")
    ] = None,
    new_password: Annotated[list[str], typer.Option(help="Account to renew, as listed.")] = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write mosquitto's configuration, with rights and passwords for everybody named.

    Name everybody each time: who is named again keeps the password, who is not goes.
    """
    people = People(
        sites=tuple(site),
        athletes=tuple(athlete),
        coaches=_groups(coach, "--coach"),
        commands=_groups(coach_commands, "--coach-commands"),
        sensors=tuple(sensor),
        archives=tuple(archive),
        home_assistant=home_assistant,
        announced=discovery_prefix,
    )
    accounts = accounts_of(people)
    chosen_plugin = None
    if dynamic_security:
        accounts = (*accounts, administrator())
        chosen_plugin = _plugin(plugin)
    told = write_folder(
        out.expanduser(),
        accounts,
        _listener(listen, tls_certificate, tls_key, client_ca, plain=plain),
        logins=(logins or out / "logins").expanduser(),
        renew=new_password,
        plugin=chosen_plugin,
    )
    if as_json:
        print_json({"v": 1, "configuration": str(out / "mosquitto.conf"), "accounts": told})
        return
    stdout().print(_table(accounts, told))
    note(f"passwords stand in {logins or out / 'logins'}, a file each: hand it over, remove it")
    note(f"start the broker with: mosquitto -c {out / 'mosquitto.conf'}")
    again = "stop it, run this again, start it" if dynamic_security else "send it SIGHUP"
    note(f"running already? {again}")


def _groups(entries: Sequence[str], option: str) -> dict[str, tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        name, _, athletes = entry.partition(":")
        named = tuple(each.strip() for each in athletes.split(",") if each.strip())
        if not named:
            raise UsageError(
                f'{option}: "{entry}" names no athlete.', hint="Write it like maria:a7k2,b3m9."
            )
        groups[name] = groups.get(name, ()) + named
    return groups


def _listener(
    listen: str, certificate: Path | None, key: Path | None, authority: Path | None, *, plain: bool
) -> Listener:
    host, port = broker_address(listen, where="--listen", tls=certificate is not None)
    if certificate is None and (key or authority):
        raise UsageError(
            "--tls-key and --client-ca need --tls-certificate.", hint="Give the broker's own."
        )
    if certificate is None and not plain and not Peer(host, port).is_loopback:
        raise UsageError(
            f"--listen {listen}: passwords would cross the network unencrypted.",
            hint="Give --tls-certificate and --tls-key, or accept it with --plain.",
        )
    if certificate is not None:
        _check_server(certificate, key, authority)
    return Listener(host, port, certificate, key, authority)


def _check_server(certificate: Path, key: Path | None, authority: Path | None) -> None:
    """What mosquitto would refuse at its start, in one line now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
        if authority:
            context.load_verify_locations(authority)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise UsageError(
            f"These TLS files cannot be used: {reason}.",
            hint="Give a certificate, its own key without a passphrase, and an authority, in PEM.",
        ) from error


def _plugin(given: Path | None) -> Path:
    plugin = given or find_plugin()
    if plugin is None or not plugin.is_file():
        raise UsageError(
            "mosquitto's dynamic security plugin is not installed here.",
            hint="Install mosquitto, or say with --plugin where it is.",
        )
    return plugin


def _table(accounts: Sequence[Account], told: Sequence[Login]) -> Table:
    about = {account.name: account.about for account in accounts}
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("account", "for", "", "password"):
        table.add_column(heading, overflow="fold")
    for login in told:
        where = Path(login.password_file).name if login.password_file else "handed out"
        table.add_row(
            login.name,
            Text(about.get(login.name, "")),
            Text(login.change, COLOURS[login.change]),
            Text("" if login.change == "removed" else where),
        )
    return table
