"""Rollers over Bluetooth: one scanner finds them, a task of its own serves each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from rolltrack.errors import DecodeError
from rolltrack.sensors.decoders import roller_v1
from rolltrack.sensors.registry import SERVICE_UUIDS
from rolltrack.sources import ble_roller
from rolltrack.sources.ble_finder import LINK_ERRORS, RollerFinder
from rolltrack.sources.ble_link import BleLink
from rolltrack.sources.ble_stream import RollerStream
from rolltrack.sources.source import Deliver, Sensor

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bleak import BleakClient
    from bleak.backends.device import BLEDevice

    from rolltrack.config import BleConfig
    from rolltrack.core.sample import GapReason
    from rolltrack.sensors.decoders.roller_v1 import RollerInfo
    from rolltrack.sources.ble_roller import Identity

log = logging.getLogger(__name__)

# While every known roller is connected, the radio is theirs for this long between scans.
REST_S = 20.0
TICK_S = 1.0
SET_UP_TIMEOUT_S = 10.0
DISCONNECT_TIMEOUT_S = 5.0
# Silence that means a dead link, at least and in packets.
SILENCE_S = 2.0
SILENT_PACKETS = 10
CONNECTION_ERRORS = (*LINK_ERRORS, TimeoutError)


class BleSource:
    """Serves every wanted roller in range until cancelled.

    Args:
        config: link and sampling rate.
        wanted: whether a roller is to be served; asked with its serial number, its address and its
            name, one yes is enough. None serves all.
        limit: look for no more while this many are connected; None keeps looking.
        patience_s: give up when the link could not be opened for so long at the start. None waits
            for ever where the other end may start later than we do (the simulator).

    Raises:
        UsageError: the link is none that we know, or needs a package that is not installed.
    """

    name = "ble"

    def __init__(
        self,
        config: BleConfig,
        wanted: Callable[[str], bool] | None = None,
        *,
        limit: int | None = None,
        patience_s: float | None = None,
    ) -> None:
        self._link = BleLink(config.link)
        self._finder = RollerFinder(self._link, list(SERVICE_UUIDS), patience_s)
        self._rate_hz = config.rate_hz
        self._wanted = wanted
        self._limit = limit
        self._streams: dict[str, RollerStream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._roller_lost = asyncio.Event()
        self._started_s = 0.0
        self._epoch_unix_s = 0.0

    async def run(self, deliver: Deliver) -> None:
        """Find and serve rollers; see `Source`.

        Raises:
            SensorNotFoundError: Bluetooth cannot be used here.
        """
        self._started_s = asyncio.get_running_loop().time()
        self._epoch_unix_s = time.time()
        self._spawn(self._tick(), "ble-tick")
        try:
            while True:
                device = await self._finder.look()
                if device is not None:
                    await self._connect(device, deliver)
                await self._rest(nobody_new=device is None)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._link.close()

    async def _rest(self, *, nobody_new: bool) -> None:
        """Keep the radio quiet while nobody is missing and nobody new is about."""
        enough = self._limit is not None and len(self._finder.busy) >= self._limit
        all_up = bool(self._streams) and all(stream.up for stream in self._streams.values())
        if not (enough or (all_up and nobody_new)):
            return
        self._roller_lost.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if enough else REST_S):
                await self._roller_lost.wait()

    async def _connect(self, device: BLEDevice, deliver: Deliver) -> None:
        """Connect while the scanner is off, then leave the roller to a task of its own."""
        lost = asyncio.Event()
        try:
            client = await self._link.connect(device, lambda _client: lost.set())
        except CONNECTION_ERRORS as error:
            self._try_later(device, error)
            return
        self._finder.busy.add(device.address)
        self._spawn(self._serve(client, device, lost, deliver), f"ble-{device.address}")

    async def _serve(
        self, client: BleakClient, device: BLEDevice, lost: asyncio.Event, deliver: Deliver
    ) -> None:
        """One connection, from the first word to the disconnection."""
        try:
            stream = await self._set_up(client, deliver)
            if stream is None:
                self._finder.leave_alone(device.address)
                return
            self._finder.succeeded(device.address)
            await self._receive(client, stream, lost)
        except DecodeError as error:
            log.warning("%s is left alone: %s", device, error)
            self._finder.leave_alone(device.address)
        except CONNECTION_ERRORS as error:
            self._try_later(device, error)
        except Exception:
            log.exception("%s: unexpected failure; other rollers are not affected", device)
            self._finder.failed(device.address)
        finally:
            with contextlib.suppress(*CONNECTION_ERRORS):
                async with asyncio.timeout(DISCONNECT_TIMEOUT_S):
                    await client.disconnect()
            self._finder.busy.discard(device.address)
            self._roller_lost.set()

    async def _set_up(self, client: BleakClient, deliver: Deliver) -> RollerStream | None:
        """Find out who it is and what it sends; None when it is not wanted."""
        async with asyncio.timeout(SET_UP_TIMEOUT_S):
            identity = await ble_roller.identify(client)
            if self._wanted and not any(map(self._wanted, identity.names)):
                log.info("%s is not one of ours", identity)
                return None
            info, packet_samples = await ble_roller.configure(client, self._rate_hz)
        stream = self._stream_of(identity, info, deliver)
        packet_s = packet_samples * info.period_s
        decoder = roller_v1.RollerV1Decoder(info, stream.last_reading_s)
        stream.link_up(decoder, max(SILENCE_S, SILENT_PACKETS * packet_s), self._now_s())
        log.info("%s connected: %.4g readings per second", identity, 1 / info.period_s)
        return stream

    def _stream_of(self, identity: Identity, info: RollerInfo, deliver: Deliver) -> RollerStream:
        """The roller's stream so far, or a new one.

        A serial number that is connected already is a copy; such a roller goes by its address.
        """
        sensor_id = identity.serial or identity.address
        if sensor_id in self._streams and self._streams[sensor_id].up:
            sensor_id = identity.address
        sensor = Sensor(
            kind="ble",
            sensor_id=sensor_id,
            name=identity.name,
            epoch_unix_s=self._epoch_unix_s,
            radius_m=info.radius_m,
            axle=info.axle,
            address=identity.address,
        )
        stream = self._streams.setdefault(sensor_id, RollerStream(sensor, deliver))
        stream.sensor = sensor
        return stream

    async def _receive(
        self, client: BleakClient, stream: RollerStream, lost: asyncio.Event
    ) -> None:
        """Take readings until the link or the roller falls silent."""
        reason: GapReason = "link_lost"
        try:
            await ble_roller.subscribe(
                client,
                motion=lambda data: stream.packet(data, self._now_s()),
                battery=lambda percent: stream.battery(percent, self._now_s()),
            )
            reason = await self._silence(stream, lost)
        finally:
            stream.link_down(reason, self._now_s())

    async def _silence(self, stream: RollerStream, lost: asyncio.Event) -> GapReason:
        """Wait until the link is reported lost, or no data has come for too long.

        A frozen roller or adapter reports nothing: only its silence gives it away.
        """
        while (left_s := stream.silent_at_s - self._now_s()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await lost.wait()
                    log.info("%s: connection lost", stream.sensor.name)
                    return "link_lost"
        log.info("%s: silent for %.1f s", stream.sensor.name, stream.silence_s)
        return "no_data"

    def _try_later(self, device: BLEDevice, error: Exception) -> None:
        wait_s = self._finder.failed(device.address)
        why = str(error) or type(error).__name__
        log.info("%s: no connection (%s); next try in %.1f s", device, why, wait_s)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for stream in self._streams.values():
                stream.tick(self._now_s())

    def _now_s(self) -> float:
        """Seconds since the source started."""
        return asyncio.get_running_loop().time() - self._started_s
