"""The demo's second pair of eyes: an MQTT subscriber that knows only what the broker says."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from rolltrack.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENCE_S = 10.0


@contextlib.asynccontextmanager
async def listening(host: str, port: int, topic: str) -> AsyncIterator[asyncio.Queue[bytes]]:
    """Subscribe to `topic`; yields a queue of the bodies that arrive.

    Raises:
        BrokerError: the broker did not take the subscription.
    """
    loop = asyncio.get_running_loop()
    bodies: asyncio.Queue[bytes] = asyncio.Queue()
    subscribed = asyncio.Event()

    def on_connect(client: Client, *_: Any) -> None:
        client.subscribe(topic, qos=1)

    def on_subscribe(*_: Any) -> None:
        loop.call_soon_threadsafe(subscribed.set)

    def on_message(_client: Client, _data: Any, message: MQTTMessage) -> None:
        loop.call_soon_threadsafe(bodies.put_nowait, bytes(message.payload))

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    client.connect_async(host, port)
    client.loop_start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await subscribed.wait()
        yield bodies
    except TimeoutError as error:
        if subscribed.is_set():
            raise
        raise BrokerError(f"the MQTT broker at {host}:{port} did not answer.") from error
    finally:
        client.disconnect()
        client.loop_stop()
