"""mosquitto as `rolltrack broker acl` sets it up, and clients that log in to it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from support import brokers

from rolltrack.broker import mosquitto

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 20.0


@contextlib.contextmanager
def running(folder: Path):
    """Run mosquitto with the folder's configuration, until it takes connections."""
    configuration = folder / "mosquitto.conf"
    command = [mosquitto.find() or "mosquitto", "-c", str(configuration)]
    if os.getuid() == 0:  # as root it becomes another user, who cannot read our private folder
        mine = folder / "as-root.conf"
        mine.write_text("user root\n" + configuration.read_text())
        command[-1] = str(mine)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log)
    try:
        words = configuration.read_text().split()
        port = int(words[words.index("listener") + 1])
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((brokers.HOST, port)):
                break
        else:
            raise AssertionError((folder / "log").read_text())
        yield port, process
    finally:
        process.terminate()
        process.wait()


@dataclass
class Visitor:
    """A client under one account; every call waits for the broker's answer."""

    port: int
    account: str
    password: str | None
    client_id: str = ""
    clean: bool = True
    will: tuple[str, bytes, bool] | None = None
    received: list[tuple[str, bytes, bool]] = field(default_factory=list)

    def __enter__(self):
        self._answers = {}
        self._changed = threading.Condition()
        client = self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.client_id, clean_session=self.clean
        )
        client.username_pw_set(self.account, self.password)
        if self.will:
            topic, body, retain = self.will
            client.will_set(topic, body, 1, retain)
        client.on_connect = lambda _c, _d, _f, reason, _p: self._answer("connect", reason)
        client.on_disconnect = lambda *_: self._answer("gone", True)
        client.on_subscribe = lambda _c, _d, mid, reasons, _p: self._answer(mid, reasons)
        client.on_publish = lambda _c, _d, mid, reason, _p: self._answer(mid, reason)
        client.on_message = lambda _c, _d, m: self.received.append((m.topic, m.payload, m.retain))
        client.connect(brokers.HOST, self.port)
        client.loop_start()
        self.reason = self._wait("connect")
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, *filters: str):
        """Return what the broker says to each."""
        return self._wait(self._client.subscribe([(each, 1) for each in filters])[1])

    def publish(self, topic: str, body: bytes, *, retain: bool = False):
        """Return when the broker has dealt with it."""
        self._wait(self._client.publish(topic, body, 1, retain).mid)

    def fence(self):
        """Return when everything the broker has sent us so far is in `received`.

        It answers in order, so what comes before the answer to a subscription is complete.
        """
        self.subscribe("fence/for/nothing")

    def vanish(self):
        """Break the connection as a power cut would; wait until the broker has noticed.

        A connection of the same name makes it say the last will now, if it has not yet.
        """
        self._client.loop_stop()
        self._client.socket().shutdown(socket.SHUT_RDWR)
        self._client.socket().close()
        with Visitor(self.port, self.account, self.password, client_id=self.client_id):
            pass

    def until_gone(self):
        """Wait until the broker has thrown us out."""
        self._wait("gone")

    def _answer(self, key, what):
        with self._changed:
            self._answers[key] = what
            self._changed.notify_all()

    def _wait(self, key):
        with self._changed:
            assert self._changed.wait_for(lambda: key in self._answers, PATIENCE_S), key
            return self._answers.pop(key)
