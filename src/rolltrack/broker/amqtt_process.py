"""`python -m rolltrack.broker.amqtt_process HOST PORT`: amqtt with its leaks closed.

For loopback and one trust domain only: amqtt has no usable access lists, keeps nothing over a
restart, and speaks MQTT 3.1.1 only.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import sys
from typing import TYPE_CHECKING

from amqtt.broker import Broker
from amqtt.contexts import Action

from rolltrack.broker.guard import when_parent_ends

if TYPE_CHECKING:
    from typing import Any


class HardenedBroker(Broker):  # type: ignore[misc]  # amqtt comes without types
    """amqtt 0.12.1 without two defects that show other clients' data, or forge it."""

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Any
    ) -> None:
        """Send only what the client subscribed to.

        amqtt offers a new connection the retained messages of every client's subscriptions.
        """
        topic_filter, _ = subscription
        subscribers = self._subscriptions.get(topic_filter, [])
        own = [qos for other, qos in subscribers if other.client_id == session.client_id]
        if own:
            await super()._publish_retained_messages_for_subscription(
                (topic_filter, own[0]), session
            )

    async def _handle_disconnect(self, client_session: Any, handler: Any, waiter: Any) -> None:
        """Hold a last will to the same rules as any other message; amqtt publishes it unasked."""
        if client_session.will_flag and not await self._topic_filtering(
            client_session, topic=client_session.will_topic, action=Action.PUBLISH
        ):
            client_session.will_flag = False
        await super()._handle_disconnect(client_session, handler, waiter)


def configuration(host: str, port: int) -> dict[str, Any]:
    """Return amqtt's settings; anonymous, so the host must be loopback."""
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is not a loopback address; amqtt must not be reached from afar.")
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
        "plugins": {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
        },
    }


async def serve(host: str, port: int) -> None:
    """Run until SIGTERM, or until the parent is gone."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    when_parent_ends(lambda: loop.call_soon_threadsafe(stop.set))
    broker = HardenedBroker(configuration(host, port))
    await broker.start()
    await stop.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
