"""Does a broker let us in? One attempt, for whoever wants to know before the service runs."""

from __future__ import annotations

import queue
import secrets
from typing import TYPE_CHECKING

from rolltrack.mqtt.client import WireClient

if TYPE_CHECKING:
    from rolltrack.mqtt.client import Incoming, Version
    from rolltrack.mqtt.faults import Fault
    from rolltrack.mqtt.peer import Peer

PATIENCE_S = 4.0
MUTE = "no answer; is it an MQTT broker?"
MAY_WANT_TLS = "it hangs up; it is no MQTT broker, or it wants TLS (mqtt.tls)"


def knock(peer: Peer, *, patience_s: float = PATIENCE_S) -> str | None:
    """Connect once under a name of our own; None when the broker accepts, else why not."""
    versions: tuple[Version, ...] = ("5", "3.1.1") if peer.protocol == "auto" else (peer.protocol,)
    refusal: str | None = MUTE
    for version in versions:
        refusal, final = _Knock(peer, version).answer(patience_s)
        if final:
            break
    return refusal


class _Knock:
    """One attempt in one version; the client's thread puts what happens into a queue."""

    def __init__(self, peer: Peer, version: Version) -> None:
        self._peer = peer
        self._news: queue.Queue[tuple[str | None, bool]] = queue.Queue()
        self._client = WireClient(
            peer,
            version,
            client_id=f"rolltrack-doctor-{secrets.token_hex(4)}",
            will=None,
            persistent=False,
            manual_ack=False,
            listener=self,
        )

    def answer(self, patience_s: float) -> tuple[str | None, bool]:
        """Why not (None: let in), and whether another MQTT version could change nothing."""
        self._client.start()
        try:
            return self._news.get(timeout=patience_s)
        except queue.Empty:
            return MUTE, False
        finally:
            self._client.stop()

    def opened(self, client: WireClient) -> None:
        """Only the beginning."""

    def answered(self, _client: WireClient, failure: str) -> None:
        """The broker has accepted us (empty), or refused."""
        self._news.put((failure or None, "protocol version" not in failure.lower()))

    def failed(self, _client: WireClient, fault: Fault | None) -> None:
        """No connection could be made."""
        self._news.put((str(fault) if fault else MUTE, True))

    def lost(self, _client: WireClient, _reason: str, fault: Fault | None) -> None:
        """It hung up."""
        self._news.put(
            (str(fault), True) if fault else (MUTE if self._peer.tls else MAY_WANT_TLS, False)
        )

    def subscribed(self, client: WireClient) -> None:
        """We ask for nothing."""

    def delivered(self, client: WireClient, mid: int) -> None:
        """We send nothing."""

    def received(self, client: WireClient, message: Incoming) -> None:
        """We subscribe to nothing."""
