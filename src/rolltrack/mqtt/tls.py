"""How a broker is known, and how we are known to it: certificates and keys from files."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from rolltrack.errors import UsageError


@dataclass(frozen=True, slots=True)
class Tls:
    """How to know the broker, and how to be known by it.

    Attributes:
        ca_file: certificates to trust (PEM); None trusts those of the system.
        certificate_file: our own certificate (PEM), if the broker wants one.
        key_file: its private key (PEM); None takes it from `certificate_file`.
    """

    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None


class _TidySocket(ssl.SSLSocket):
    """paho leaves the socket of a failed greeting to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def tls_context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 or newer, with the broker's certificate and host name checked.

    Raises:
        UsageError: a file is missing, unreadable, of another kind, or does not fit the others.
    """
    for setting in ("ca_file", "certificate_file", "key_file"):
        if file := getattr(tls, setting):
            _check_readable(file, setting)
    context = _trusting(tls.ca_file)
    if tls.certificate_file:
        _show_certificate(context, tls.certificate_file, tls.key_file)
    elif tls.key_file:
        raise UsageError(
            "mqtt.key_file is set, but mqtt.certificate_file is not.",
            hint="A key is of use only with its certificate.",
        )
    return context


def _check_readable(file: str, setting: str) -> None:
    try:
        with Path(file).open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise UsageError(
            f"Cannot read mqtt.{setting} {file}: {error.strerror}.",
            hint="Correct its name or its permissions.",
        ) from error


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise UsageError(
            f"mqtt.ca_file {ca_file} holds no certificates.",
            hint="It must be the certificate of your certificate authority, in PEM.",
        ) from error
    context.sslsocket_class = _TidySocket
    if ca_file is not None:
        # Newer Pythons refuse what home-made authorities leave out (key identifiers, for example).
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _show_certificate(context: ssl.SSLContext, certificate_file: str, key_file: str | None) -> None:
    asked = False

    def passphrase() -> str:
        nonlocal asked
        asked = True  # else OpenSSL would ask on the terminal, and a service has none
        return ""

    try:
        context.load_cert_chain(certificate_file, key_file, password=passphrase)
    except (ssl.SSLError, ValueError) as error:
        keeper = (
            f"mqtt.key_file {key_file}" if key_file else f"mqtt.certificate_file {certificate_file}"
        )
        if asked:
            raise UsageError(
                f"{keeper} is locked with a passphrase.",
                hint="Take it off (openssl pkey -in FILE -out FILE.open) and chmod 600 the result.",
            ) from error
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise UsageError(
                f"{keeper} is not the key of mqtt.certificate_file {certificate_file}.",
                hint="Take the two files that were made together.",
            ) from error
        raise UsageError(
            f"mqtt.certificate_file {certificate_file} with {key_file or 'its own key'} cannot be"
            " used: not a certificate and a private key in PEM.",
            hint="Name them in mqtt.certificate_file and mqtt.key_file.",
        ) from error
