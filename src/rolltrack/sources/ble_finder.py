"""Finding rollers: the one scanner, how long it keeps trying, and whom it leaves alone."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bleak.exc import BleakError

from rolltrack.sources.ble_errors import not_available

if TYPE_CHECKING:
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

    from rolltrack.sources.ble_link import BleLink

log = logging.getLogger(__name__)

LINK_ERRORS = (BleakError, OSError, EOFError)

# A scan is begun afresh this often: a scanner that died without a word costs no more than this.
SCAN_WINDOW_S = 5.0
LONGEST_WAIT_FOR_LINK_S = 5.0
LONGEST_WAIT_FOR_ROLLER_S = 60.0
# For a roller that is not wanted or speaks a profile we do not know.
LEAVE_ALONE_S = 600.0


@dataclass(slots=True)
class Backoff:
    """Waits that double from failure to failure."""

    longest_s: float
    next_wait_s: float = 0.5

    def failed(self) -> float:
        """How long to wait this time."""
        wait_s = self.next_wait_s
        self.next_wait_s = min(2 * wait_s, self.longest_s)
        return wait_s


class RollerFinder:
    """Looks for rollers that are neither busy nor to be left alone.

    Args:
        link: where to look.
        service_uuids: what a roller advertises.
        patience_s: how long the link may be missing at the start; None: as long as it takes, on
            links whose other end may appear later.

    Attributes:
        busy: addresses that are being served.
    """

    def __init__(
        self, link: BleLink, service_uuids: list[str], patience_s: float | None = None
    ) -> None:
        self.busy: set[str] = set()
        self._link = link
        self._service_uuids = service_uuids
        self._patience_s = patience_s
        self._first_try_s: float | None = None
        self._link_worked = False
        self._link_trouble: Backoff | None = None
        self._roller_trouble: dict[str, Backoff] = {}
        self._not_before_s: dict[str, float] = {}

    async def look(self) -> BLEDevice | None:
        """Scan until a roller is seen, at most for one window; a broken link is waited for.

        Raises:
            SensorNotFoundError: this computer cannot do Bluetooth, or patience has run out.
        """
        if self._first_try_s is None:
            self._first_try_s = _now_s()
        try:
            found = await self._scan()
        except LINK_ERRORS as error:
            # Leaving a scan on a dead link raises, and that replaces the cancellation which made us
            # leave.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from error
            await self._wait_for_link(error)
            return None
        if self._link_trouble is not None:
            log.info("Bluetooth link %s works again", self._link.name)
        self._link_worked = True
        self._link_trouble = None
        return found

    def failed(self, address: str) -> float:
        """Try this roller again, but later each time; says how much later."""
        trouble = self._roller_trouble.setdefault(address, Backoff(LONGEST_WAIT_FOR_ROLLER_S))
        wait_s = trouble.failed()
        self._not_before_s[address] = _now_s() + wait_s
        return wait_s

    def succeeded(self, address: str) -> None:
        """Forget the roller's past failures."""
        self._roller_trouble.pop(address, None)

    def leave_alone(self, address: str) -> None:
        """Do not come back to this roller for a good while."""
        self._not_before_s[address] = _now_s() + LEAVE_ALONE_S

    async def _scan(self) -> BLEDevice | None:
        seen: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()

        def on_seen(device: BLEDevice, _advertisement: AdvertisementData) -> None:
            if not seen.done() and self._may_try(device.address):
                seen.set_result(device)

        async with self._link.scanner(on_seen, self._service_uuids):
            try:
                async with asyncio.timeout(SCAN_WINDOW_S):
                    return await seen
            except TimeoutError:
                return None

    def _may_try(self, address: str) -> bool:
        return address not in self.busy and _now_s() >= self._not_before_s.get(address, 0.0)

    async def _wait_for_link(self, error: Exception) -> None:
        if not self._link_worked and not self._may_still_appear(error):
            raise not_available(self._link.name, error) from error
        if self._link_trouble is None:
            log.warning(
                "%s (trying again until it is there)", not_available(self._link.name, error)
            )
            self._link_trouble = Backoff(LONGEST_WAIT_FOR_LINK_S)
        await asyncio.sleep(self._link_trouble.failed())

    def _may_still_appear(self, error: Exception) -> bool:
        if "InProgress" in str(error):  # another program's scan is just starting or stopping
            return True
        waited_s = _now_s() - (self._first_try_s or 0.0)
        patient = self._patience_s is None or waited_s < self._patience_s
        return self._link.may_appear_later and patient


def _now_s() -> float:
    return asyncio.get_running_loop().time()
