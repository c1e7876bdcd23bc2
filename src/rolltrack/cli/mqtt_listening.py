"""A connection that only listens to a broker, for the commands that look at one."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING

from rolltrack.errors import BrokerError
from rolltrack.mqtt import MqttLink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from rolltrack.mqtt import Incoming, Peer

PATIENCE_S = 10.0


@contextlib.asynccontextmanager
async def overhearing(
    peer: Peer, filters: Sequence[str], take: Callable[[Incoming], None]
) -> AsyncIterator[MqttLink]:
    """Subscribe to the filters; `take` gets every message.

    Raises:
        BrokerError: there is no broker, or it does not let us in.
    """
    link = MqttLink(peer, client_id=f"rolltrack-look-{secrets.token_hex(4)}")
    listening = asyncio.Event()
    link.when_listening(listening.set)
    for topic_filter in filters:
        link.listen(topic_filter, take)
    link.start()
    try:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await listening.wait()
        except TimeoutError:
            raise BrokerError(
                f"the MQTT broker at {peer} could not be used within {PATIENCE_S:.0f} s.",
                hint="See the lines above, or `rolltrack doctor`.",
            ) from None
        yield link
    finally:
        await link.stop()
