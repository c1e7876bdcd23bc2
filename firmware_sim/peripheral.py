"""A roller on the air: the firmware behind the GATT profile of docs/roller-gatt.md."""

from __future__ import annotations

import asyncio
from math import ceil, inf
from typing import TYPE_CHECKING

from bumble import att, hci
from bumble.device import Device, DeviceConfiguration

from firmware_sim.link import SimController
from firmware_sim.packets import decode_config
from firmware_sim.profile import add_profile, advertisement

if TYPE_CHECKING:
    from bumble.device import Connection

    from firmware_sim.air import Faults
    from firmware_sim.firmware import Firmware
    from firmware_sim.link import SimLink
    from firmware_sim.profile import Identity, Octets

ADVERTISING_INTERVAL_MS = 100.0
PACKETS_PER_EVENT = 6
STATUS_PERIOD_S = 1.0


class VirtualRoller:
    """A peripheral that streams while somebody has subscribed and `run` is set.

    Notifications leave only at connection events, a few at a time, as over a real link.

    Args:
        link: the air.
        firmware: what it runs.
        identity: who it is.
        interval_s: connection interval, in device time.
        wait: begin the trace when somebody subscribes, else at power-on.
        faults: what goes wrong, nothing without.
    """

    def __init__(
        self,
        link: SimLink,
        firmware: Firmware,
        identity: Identity,
        *,
        interval_s: float = 0.03,
        wait: bool = True,
        faults: Faults | None = None,
    ) -> None:
        self.firmware = firmware
        self.identity = identity
        self.controller = SimController(identity.name, link)
        self._link = link
        self._interval_s = interval_s
        self._wait = wait
        self._faults = faults
        self._listener: Connection | None = None
        self._event_s = 0.0
        self._changed = asyncio.Event()
        self._told_status = firmware.status()
        self._told_status_s = 0.0
        self._device = self._make_device()
        self._profile = add_profile(
            self._device,
            firmware,
            identity,
            now_s=lambda: self.now_s,
            write_config=self._write_config,
        )
        motion = self._profile.motion
        motion.on(motion.EVENT_SUBSCRIPTION, self._on_subscription)

    @property
    def now_s(self) -> float:
        """Device time since power-on."""
        return self.firmware.clock.device_s(asyncio.get_running_loop().time() - self._on_since)

    async def power_on(self) -> None:
        """Start the clock and advertise."""
        self._on_since = asyncio.get_running_loop().time()
        if not self._wait:
            self.firmware.begin(0.0)
        await self._device.power_on()
        await self._device.start_advertising(auto_restart=True)

    async def run(self) -> None:
        """Stream until the trace is over and sent, which only happens if it stops at its end."""
        while not self.firmware.finished:
            await self._until(max(self.firmware.next_due_s(self._att_mtu), self._event_s))
            await self._serve()
        outgoing = self._device.host.le_acl_packet_queue
        while outgoing and outgoing.pending and (connection := self._listener):
            await outgoing.drain(connection.handle)

    async def power_off(self) -> None:
        """Say goodbye to whoever is connected and go silent."""
        await self._device.stop_advertising()
        for connection in list(self._device.connections.values()):
            await connection.disconnect(
                hci.HCI_REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR
            )
        self.controller.switch_off()

    @property
    def _att_mtu(self) -> int | None:
        """MTU of the subscriber, None without one."""
        return None if self._listener is None else self._listener.att_mtu

    async def _until(self, device_s: float) -> None:
        """Sleep until a device time, or until subscription or configuration changes."""
        true_s = self.firmware.clock.true_s(device_s - self.now_s)
        try:
            async with asyncio.timeout(None if device_s == inf else max(true_s, 0.0)):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    async def _serve(self) -> None:
        """Run every connection event up to now, in order, even when the program was held up."""
        now_s = self.now_s
        if self._listener is None:
            self.firmware.advance(now_s, None)
            return
        while self._event_s <= now_s:
            await self._connection_event()
            wait_s = self.firmware.next_due_s(self._att_mtu) - self._event_s
            if wait_s == inf:
                break
            self._event_s += max(ceil(wait_s / self._interval_s), 1) * self._interval_s

    async def _connection_event(self) -> None:
        if self._reboots(self._event_s):
            self.controller.lose_links()
            return
        frozen = self._faults and self._faults.frozen(self.firmware.elapsed_s(self._event_s))
        self.firmware.advance(self._event_s, None if frozen else self._att_mtu)
        if (connection := self._listener) is None or self._link.congested(connection.peer_address):
            return
        packets = self.firmware.take(PACKETS_PER_EVENT)
        for packet in self._faults.pass_on(packets) if self._faults else packets:
            await self._notify(connection, self._profile.motion, packet)
        status = self.firmware.status()
        if status != self._told_status and self._event_s >= self._told_status_s + STATUS_PERIOD_S:
            self._told_status, self._told_status_s = status, self._event_s
            await self._notify(connection, self._profile.status, status)

    def _reboots(self, now_s: float) -> bool:
        due = self._faults is not None and self._faults.reboots(self.firmware.elapsed_s(now_s))
        if due:
            self.firmware.reboot(now_s)
        return due

    async def _notify(self, connection: Connection, characteristic: Octets, value: bytes) -> None:
        if len(value) > connection.att_mtu - 3:  # bumble would cut it off without a word
            raise RuntimeError(f"{len(value)} bytes do not fit an MTU of {connection.att_mtu}")
        await self._device.gatt_server.notify_subscriber(connection, characteristic, value)

    def _listen(self, listener: Connection | None) -> None:
        """Somebody subscribed to motion, or nobody does any more."""
        if self._listener is None:
            self.firmware.advance(self.now_s, None)
            self._reboots(self.now_s)  # one that was due meanwhile; there is no link to lose
        self._listener = listener
        if listener is None:
            self.firmware.advance(self.now_s, None)
        else:
            self._event_s = self.now_s
            self._begin_if_asked()
        self._changed.set()

    def _begin_if_asked(self) -> None:
        if self._listener is not None and self.firmware.config.run:
            self.firmware.begin(self.now_s)

    def _on_connection(self, connection: Connection) -> None:
        def gone(_reason: int) -> None:
            if self._listener is connection:
                self._listen(None)

        connection.on(connection.EVENT_DISCONNECTION, gone)

    def _on_subscription(self, connection: Connection, notify: bool, _indicate: bool) -> None:
        self._listen(connection if notify else None)

    def _write_config(self, _connection: Connection, value: bytes) -> None:
        try:
            wanted = decode_config(value)
        except ValueError as error:
            raise att.ATT_Error(att.ErrorCode.VALUE_NOT_ALLOWED, message=str(error)) from error
        self.firmware.advance(self.now_s, self._att_mtu)
        self.firmware.configure(wanted)
        self._begin_if_asked()
        self._changed.set()

    def _make_device(self) -> Device:
        configuration = DeviceConfiguration(
            name=self.identity.name,
            address=hci.Address(self.identity.address),
            advertising_interval_min=ADVERTISING_INTERVAL_MS,
            advertising_interval_max=ADVERTISING_INTERVAL_MS,
            advertising_data=advertisement(self.identity.name),
        )
        device = Device.from_config_with_hci(configuration, self.controller, self.controller)
        device.on(device.EVENT_CONNECTION, self._on_connection)
        return device
