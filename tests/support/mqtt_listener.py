"""What mosquitto_sub would see, as something a test can wait for."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Received:
    topic: str
    body: bytes
    qos: int
    retain: bool

    @property
    def leaf(self) -> str:
        return self.topic.rsplit("/", 1)[-1]

    def json(self):
        return json.loads(self.body)


class Listener:
    def __init__(self):
        self.messages: list[Received] = []
        self._news = asyncio.Event()
        self.disconnected = asyncio.Event()

    def bodies(self, leaf: str) -> list[bytes]:
        return [message.body for message in self.messages if message.leaf == leaf]

    async def until(self, happened) -> Received:
        """The first message, already here or still to come, for which `happened` is true."""
        seen = 0
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                for message in self.messages[seen:]:
                    seen += 1
                    if happened(message):
                        return message
                self._news.clear()
                await self._news.wait()

    async def until_topic(self, ending: str, body: bytes | None = None) -> Received:
        return await self.until(
            lambda m: m.topic.endswith(ending) and (body is None or m.body == body)
        )

    def _add(self, message: Received) -> None:
        self.messages.append(message)
        self._news.set()


@contextlib.asynccontextmanager
async def listening(port: int, topic_filter: str = "rolltrack/#", login=None):
    """Subscribe with QoS 1 and again after every reconnect; ready when the broker says so."""
    loop = asyncio.get_running_loop()
    listener = Listener()
    ready = asyncio.Event()
    client = Client(CallbackAPIVersion.VERSION2)
    client.reconnect_delay_set(0.05, 0.05)  # back before whoever publishes is
    client.on_connect = lambda c, *_: c.subscribe(topic_filter, 1)
    client.on_subscribe = lambda *_: loop.call_soon_threadsafe(ready.set)
    client.on_disconnect = lambda *_: loop.call_soon_threadsafe(listener.disconnected.set)
    client.on_message = lambda _c, _d, m: loop.call_soon_threadsafe(
        listener._add, Received(m.topic, m.payload, m.qos, bool(m.retain))
    )
    if login:
        client.username_pw_set(*login)
    client.connect_async("127.0.0.1", port)
    client.loop_start()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await ready.wait()
        yield listener
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


@contextlib.asynccontextmanager
async def hearing_mqtt_5(port: int, topic_filter: str):
    """Subscribe in MQTT 5; yield a queue of paho's own messages, properties and all."""
    loop, seen, ready = asyncio.get_running_loop(), asyncio.Queue(), asyncio.Event()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.on_message = lambda _c, _d, m: loop.call_soon_threadsafe(seen.put_nowait, m)
    client.on_connect = lambda c, *_: c.subscribe(topic_filter, 1)
    client.on_subscribe = lambda *_: loop.call_soon_threadsafe(ready.set)
    client.connect_async("127.0.0.1", port)
    client.loop_start()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await ready.wait()
        yield seen
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
