"""Phones as rollers: a small HTTP server for the pushes of the Sensor Logger app."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from rolltrack.errors import DecodeError, RolltrackError, UsageError
from rolltrack.sensors.decoder import SetupFault
from rolltrack.sensors.decoders.sensor_logger import parse_push
from rolltrack.sources.phone_app import phone_app
from rolltrack.sources.phone_link import PhoneLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolltrack.config import PhoneConfig
    from rolltrack.sources.source import Deliver

log = logging.getLogger(__name__)

TICK_S = 1.0
MAX_PHONES = 32
_DEVICE_ID = re.compile(r"[\x21-\x7e]{1,64}")


class PhoneSource:
    """Takes pushes of many phones at once, told apart by their device ids.

    Args:
        config: where to listen, and the file of the token.

    Attributes:
        url: where phones push to, once `listening` is set.
        listening: set when the first push can come.
    """

    name = "phone"

    def __init__(self, config: PhoneConfig) -> None:
        self.url = ""
        self.listening = asyncio.Event()
        self._config = config
        self._phones: dict[str, PhoneLink] = {}
        self._named: set[tuple[str, str]] = set()

    async def run(self, deliver: Deliver) -> None:
        """Serve until cancelled.

        Raises:
            UsageError: the address cannot be listened on, or the token file has no token.
        """
        app = phone_app(lambda body: self._receive(body, deliver), self._token())
        with _listen(self._config.host, self._config.port) as listener:
            server = _Server(
                uvicorn.Config(
                    app,
                    log_config=None,
                    log_level=logging.WARNING,
                    access_log=False,
                    lifespan="off",
                    timeout_graceful_shutdown=1,
                )
            )
            serving = asyncio.create_task(server.serve([listener]), name="phone server")
            self.url = _url(self._config.host, listener.getsockname()[1])
            token = (
                f"?token=(what {self._config.token_file} holds)" if self._config.token_file else ""
            )
            log.info("phones: HTTP push URL for Sensor Logger: %s%s", self.url, token)
            self.listening.set()
            try:
                while not serving.done():
                    await asyncio.wait({serving}, timeout=TICK_S)
                    self._tick(deliver)
                raise RolltrackError("the server for phones has ended by itself.")
            finally:
                server.should_exit = True
                await serving

    def _token(self) -> str | None:
        file = self._config.token_file
        if file is None:
            return None
        try:
            token = Path(file).expanduser().read_text("utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"the token file {file} cannot be read: {error}.", hint="See token_file in [phone]."
            ) from error
        if not token:
            raise UsageError(
                f"the token file {file} is empty.", hint="Write a long random word into it."
            )
        return token

    def _receive(self, body: bytes, deliver: Deliver) -> None:
        """Take one push; see `phone_app`."""
        push = parse_push(body)
        phone = self._phone(push.device_id)
        try:
            items = phone.take(push, asyncio.get_running_loop().time())
        except DecodeError as fault:
            self._log_once(push.device_id, fault)
            raise
        for item in items:
            if phone.sensor is not None:
                deliver(phone.sensor, item)

    def _phone(self, device_id: str) -> PhoneLink:
        if not _DEVICE_ID.fullmatch(device_id):
            raise DecodeError(f"deviceId {device_id[:80]!r} is not 1 to 64 plain characters.")
        if device_id not in self._phones:
            if len(self._phones) >= MAX_PHONES:
                raise SetupFault(
                    f"rolltrack listens to {MAX_PHONES} phones already.", hint="Start it anew."
                )
            self._phones[device_id] = PhoneLink(device_id)
        return self._phones[device_id]

    def _log_once(self, device_id: str, fault: DecodeError) -> None:
        kind = (device_id, type(fault).__name__)
        if kind not in self._named:
            self._named.add(kind)
            log.warning("phone %s: %s", device_id, fault)

    def _tick(self, deliver: Deliver) -> None:
        now_s = asyncio.get_running_loop().time()
        for phone in self._phones.values():
            for item in phone.tick(now_s):
                if phone.sensor is not None:
                    deliver(phone.sensor, item)


class _Server(uvicorn.Server):
    """uvicorn that leaves the signals to the service around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _url(host: str, port: int) -> str:
    """The address to type into the app."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not listened on
        host = "ADDRESS-OF-THIS-COMPUTER"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"cannot listen for phones on {host}:{port}: {error.strerror or error}.",
            hint="Choose another host or port in [phone].",
        ) from error
