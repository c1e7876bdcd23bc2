"""Sources -> lanes -> outlets, in one task group, with an end that loses nothing finished."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from rolltrack.core.events import SessionEnded, SessionStarted
from rolltrack.errors import RolltrackError, UsageError
from rolltrack.service.commands import carry_out, find_lane, refused
from rolltrack.service.haste import Haste
from rolltrack.service.identity import Register
from rolltrack.service.lane import Lane
from rolltrack.service.outlet import DRAIN_S, Outlet
from rolltrack.service.room import Room
from rolltrack.service.wall import WallClock
from rolltrack.sources.orders import Answer
from rolltrack.sources.replay import ReplaySource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rolltrack.config import Config
    from rolltrack.core.events import EndReason
    from rolltrack.service.journalist import Journalist
    from rolltrack.sinks.sink import Gauges, Outgoing, Roller, Sink
    from rolltrack.sources.orders import Order, OrderSource, Reply
    from rolltrack.sources.source import Deliver, Item, Sensor, Source

log = logging.getLogger("rolltrack.service")


async def run_service(
    config: Config,
    *,
    sources: Sequence[Source],
    sinks: Sequence[Sink],
    stop: asyncio.Event,
    radius_m: float | None = None,
    drain_s: float = DRAIN_S,
    gauges: Gauges | None = None,
    clock: WallClock | None = None,
    orders: OrderSource | None = None,
    room: Room | None = None,
    journalist: Journalist | None = None,
) -> None:
    """Coach until `stop` is set or every source has come to its end.

    Then open sessions are finished and every sink has a few seconds to bring them to safety.
    Sinks get events in the order of `sinks`: name the store before the network.

    Args:
        config: who the rollers are and when a session is over.
        sources: where readings come from; one of several that fails is logged while others go on.
        sinks: where events go.
        stop: set it to end the service.
        radius_m: rolling radius for all rollers, whatever entries and sensors say.
        drain_s: how long a sink may take at the end for what it has not handled yet.
        gauges: gets the figures of the sinks' waiting lines.
        clock: how the wall clock is watched.
        orders: where commands come from.
        room: whether sessions can be kept.
        journalist: follows sessions in progress, so that they outlive a crash.

    Raises:
        UsageError: the configuration names a protocol that does not exist.
        RolltrackError: a sink cannot be opened, or no source is left because they failed.
    """
    outlets = [Outlet(sink, drain_s=drain_s) for sink in sinks]
    for outlet in outlets:
        if gauges is not None:
            gauges.update(outlet.gauges())
    haste = Haste()
    if gauges is not None:
        gauges["hurried"] = lambda: int(haste.hurried)
    desk = _Desk(config, outlets, radius_m, clock or WallClock(), room or Room(), journalist, haste)
    if orders is not None:
        orders.listen(desk.order)
    failures: list[Exception] = []
    try:
        async with asyncio.TaskGroup() as group:
            pumps = [
                group.create_task(outlet.run(), name=f"sink {outlet.sink.name}")
                for outlet in outlets
            ]
            running = [
                group.create_task(
                    _guard(source, desk.deliver, failures, say=len(sources) > 1),
                    name=f"source {source.name}",
                )
                for source in sources
            ]
            writing = group.create_task(_write_journals(journalist), name="journals")
            unpaced = [
                task for source, task in zip(sources, running, strict=True) if _is_unpaced(source)
            ]
            watching = group.create_task(_watch(haste, unpaced), name="haste")
            try:
                await _stopped_or_done(stop, running)
            finally:
                # Finished things go first: a source may take its time to let go of its link.
                desk.finish("user")
                for task in running:
                    task.cancel()
                if pumps:
                    await asyncio.wait(pumps)
                writing.cancel()
                watching.cancel()
    except ExceptionGroup as group_of_faults:
        foreseen = group_of_faults.subgroup(RolltrackError)
        if foreseen is None:
            raise
        raise foreseen.exceptions[0] from None
    if failures and len(failures) == len(sources):
        raise failures[0]


def _is_unpaced(source: Source) -> bool:
    return isinstance(source, ReplaySource) and not source.paced


async def _watch(haste: Haste, unpaced: Sequence[asyncio.Task[None]]) -> None:
    """Watch the loop; not while a replay takes all the time there is, as then it is always late."""
    if unpaced:
        await asyncio.wait(unpaced)
    await haste.watch()


async def _write_journals(journalist: Journalist | None) -> None:
    if journalist is not None:
        try:
            await journalist.run()
        finally:
            journalist.close()


class _Desk:
    """Takes every item to its roller's lane, and what comes out to every outlet."""

    def __init__(
        self,
        config: Config,
        outlets: Sequence[Outlet],
        radius_m: float | None,
        clock: WallClock,
        room: Room,
        journalist: Journalist | None,
        haste: Haste,
    ) -> None:
        self._haste = haste
        self._idle_s = config.session.idle_s
        self._register = Register(config, radius_m=radius_m)
        self._outlets = outlets
        self._lanes: dict[tuple[str, str], Lane | None] = {}
        self._open = True
        self._clock = clock
        self._room = room
        self._journalist = journalist

    def deliver(self, sensor: Sensor, item: Item) -> None:
        """Take one item; never raises."""
        if not self._open:
            return
        if jump_s := self._clock.look():
            self._set_clocks(jump_s)
        key = (sensor.kind, sensor.sensor_id)
        if key not in self._lanes:
            admission = self._register.admit(sensor)
            self._lanes[key] = (
                None
                if admission is None
                else Lane(sensor, admission, idle_s=self._idle_s, room=self._room)
            )
            self._set_clock(sensor.kind, self._lanes[key], self._clock.shift_s)
        lane = self._lanes[key]
        if lane is not None:
            lane.meet(sensor)
            lane.hurry(hurried=self._haste.hurried)
            outgoing = lane.take(item)  # first: it may put the roller's times right
            self._tell(lane, outgoing, item)

    def order(self, order: Order, reply: Reply) -> None:
        """Do what was asked, and reply; never raises."""
        if not self._open:
            reply(Answer(ok=False, text="The service is stopping; ask again when it is back."))
            return
        try:
            lane = find_lane(self._lanes.values(), order)
        except UsageError as refusal:
            reply(refused(refusal))
            return
        events = carry_out(lane, order, reply)  # first: it may change the roller
        log.info('roller "%s": command %s', lane.roller.id, order.name)
        self._tell(lane, events)

    def _set_clocks(self, jump_s: float) -> None:
        log.warning("the clock of this machine was set by %+.0f s", jump_s)
        for (kind, _), lane in self._lanes.items():
            self._set_clock(kind, lane, jump_s)

    @staticmethod
    def _set_clock(kind: str, lane: Lane | None, shift_s: float) -> None:
        """Only Bluetooth sensors have their times from this machine."""
        if lane is not None and kind == "ble" and shift_s:
            lane.set_clock(shift_s)

    def finish(self, end: EndReason) -> None:
        """End every session and take nothing more."""
        self._open = False
        for lane in self._lanes.values():
            if lane is not None:
                self._tell(lane, lane.finish(end))
        for outlet in self._outlets:
            outlet.finish()

    def _tell(self, lane: Lane, outgoing: Sequence[Outgoing], item: Item | None = None) -> None:
        roller = lane.roller
        if self._journalist is not None:
            self._journalist.note(lane.setup, item, outgoing)
        for each in outgoing:
            _log_session(roller, each)
            for outlet in self._outlets:
                outlet.put(roller, each)


def _log_session(roller: Roller, event: Outgoing) -> None:
    if isinstance(event, SessionStarted):
        log.info('roller "%s": session started', roller.id)
    elif isinstance(event, SessionEnded):
        summary = event.summary
        log.info(
            'roller "%s": session ended (%s), %d strokes, %d faster than the target',
            roller.id,
            summary.end,
            summary.strokes,
            summary.too_fast_strokes,
        )


async def _guard(source: Source, deliver: Deliver, failures: list[Exception], *, say: bool) -> None:
    """Run a source; its failure does not end the others. The only source's is raised, not said."""
    try:
        await source.run(deliver)
    except Exception as fault:
        failures.append(fault)
        if not say:
            return
        if isinstance(fault, RolltrackError):
            log.warning("source %s has stopped: %s", source.name, fault)
        else:
            log.exception("source %s has stopped unexpectedly", source.name)


async def _stopped_or_done(stop: asyncio.Event, running: Iterable[asyncio.Task[None]]) -> None:
    pending = set(running)
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        while pending and not stopping.done():
            await asyncio.wait({*pending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            pending = {task for task in pending if not task.done()}
    finally:
        stopping.cancel()
