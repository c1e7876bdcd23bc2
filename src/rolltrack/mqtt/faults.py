"""Why a connection could not be made or held, in words, with what to do."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

# OpenSSL's X509_V_ERR_… numbers (x509_vfy.h).
NOT_YET_VALID = 9
EXPIRED = 10
HOST_MISMATCH = (62, 64)
UNKNOWN_ISSUER = (2, 18, 19, 20, 21)

CHECK_CA = "Set mqtt.ca_file to the certificate of the authority that made the broker's."
CHECK_OWN = "Check mqtt.certificate_file and mqtt.key_file."

# What the broker's TLS says before it hangs up -> what it means, and what to do.
ALERTS = (
    ("CERTIFICATE_REQUIRED", "it wants a certificate of ours.", CHECK_OWN),
    ("HANDSHAKE_FAILURE", "it finds nothing in common, or wants a certificate of ours.", CHECK_OWN),
    ("UNKNOWN_CA", "it does not know who made our certificate.", CHECK_OWN),
    ("CERTIFICATE_EXPIRED", "our certificate has expired.", "Have a new one made."),
    ("CERTIFICATE_REVOKED", "our certificate has been revoked.", "Have a new one made."),
    ("CERTIFICATE", "it does not accept our certificate.", CHECK_OWN),
    ("PROTOCOL_VERSION", "it speaks only TLS older than 1.2.", "Update the broker."),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong.

    Attributes:
        said: what is wrong, as a short sentence.
        remedy: what to do; empty when only the broker's absence is to blame.
        tls: whether encryption is where it went wrong; trying again then seldom helps.
    """

    said: str
    remedy: str = ""
    tls: bool = False

    def __str__(self) -> str:
        return f"{self.said} {self.remedy}".rstrip()


def fault_of(error: OSError, *, tls: bool) -> Fault:
    """Explain an error of a connection that was to be encrypted, or not."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error)
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        reason = str(error.reason)
        for sign, said, remedy in ALERTS:
            if sign in reason:
                return Fault(said, remedy, tls=True)
        return Fault(f"it breaks off encryption ({reason}).", CHECK_OWN, tls=True)
    if tls and _no_greeting(error):
        return Fault(
            "it does not speak TLS there.",
            "Correct the port in mqtt.broker (TLS is usually on 8883), or set mqtt.tls = false.",
            tls=True,
        )
    said = str(error.strerror or error or type(error).__name__)
    return Fault(said.rstrip(".") + ".", tls=isinstance(error, ssl.SSLError))


def _distrust(error: ssl.SSLCertVerificationError) -> Fault:
    code, said = error.verify_code, error.verify_message
    if code == EXPIRED:
        return Fault(
            "its certificate has expired.",
            "Renew it at the broker; if it is new, set the clock of this machine.",
            tls=True,
        )
    if code == NOT_YET_VALID:
        return Fault(
            "its certificate is not valid yet.", "Set the clock of this machine.", tls=True
        )
    if code in HOST_MISMATCH:
        return Fault(
            "its certificate is for another host name.",
            f"Set mqtt.broker to a name that stands in it ({said}).",
            tls=True,
        )
    if code in UNKNOWN_ISSUER:
        return Fault(f"its certificate is by an unknown authority ({said}).", CHECK_CA, tls=True)
    return Fault(f"its certificate is not in order ({said}).", CHECK_CA, tls=True)


def _no_greeting(error: OSError) -> bool:
    """Whether this is how a port that does not know TLS takes the first bytes of it."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionResetError):
        return True
    if isinstance(error, ssl.SSLError):
        return (error.reason or "") in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}
    return isinstance(error, TimeoutError) and "handshake" in str(error)
