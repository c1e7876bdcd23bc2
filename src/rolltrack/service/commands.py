"""Orders -> what a lane does, and an answer for whoever asked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rolltrack.core.events import SessionDiscarded, SessionEnded, SessionStarted
from rolltrack.errors import InputError, RolltrackError, UsageError
from rolltrack.sources.orders import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rolltrack.core.calibration import Calibration
    from rolltrack.core.events import Event
    from rolltrack.service.lane import Lane
    from rolltrack.sources.orders import Order, Reply

log = logging.getLogger("rolltrack.service")


def find_lane(lanes: Iterable[Lane | None], order: Order) -> Lane:
    """The lane of the roller that an order names.

    Raises:
        UsageError: that athlete has no such roller here.
    """
    for lane in lanes:
        if lane is not None and (lane.roller.id, lane.roller.athlete) == (
            order.roller,
            order.athlete,
        ):
            return lane
    raise UsageError(
        f'athlete "{order.athlete}" has no roller "{order.roller}" here.',
        hint="bridge/info lists the rollers that have been seen; switch it on first.",
    )


def carry_out(lane: Lane, order: Order, reply: Reply) -> list[Event]:
    """Do what is asked, reply, and return what follows for the sinks."""
    try:
        match order.name:
            case "start":
                return _start(lane, reply)
            case "stop":
                return _stop(lane, reply)
            case "set-limit":
                assert order.limit_mps is not None  # noqa: S101 - an order is complete
                events = lane.set_limit(order.limit_mps)
                text = f"The limit is {1000 * order.limit_mps:g} mm/s until the service restarts."
                reply(Answer(ok=True, text=text, limit_mps=order.limit_mps))
                return events
            case "calibrate":
                assert order.distance_m is not None  # noqa: S101 - the same
                _calibrate(lane, order.distance_m, reply)
    except RolltrackError as refusal:
        reply(refused(refusal))
    except Exception:
        log.exception('roller "%s": unexpected fault in %s', lane.roller.id, order.name)
        reply(Answer(ok=False, text="An unexpected fault; the service's log has the details."))
    return []


def refused(why: RolltrackError) -> Answer:
    """An answer that says what is wrong and what to do."""
    text = str(why)
    return Answer(ok=False, text=text[:1].upper() + text[1:])


def _start(lane: Lane, reply: Reply) -> list[Event]:
    events = lane.start()
    started = any(isinstance(event, SessionStarted) for event in events)
    text = "A session has begun." if started else "A session was under way; it goes on."
    reply(Answer(ok=True, text=text))
    return events


def _stop(lane: Lane, reply: Reply) -> list[Event]:
    text = "The calibration has ended." if lane.calibrating else "No session was under way."
    events = lane.stop()
    for event in events:
        if isinstance(event, SessionEnded):
            count = event.summary.strokes
            text = f"The session has ended, with {count} stroke{'' if count == 1 else 's'}."
        elif isinstance(event, SessionDiscarded):
            text = "The session has ended; nothing had been rolled, so nothing is kept."
    reply(Answer(ok=True, text=text))
    return events


def _calibrate(lane: Lane, distance_m: float, reply: Reply) -> None:
    def tell(outcome: Calibration | InputError) -> None:
        if isinstance(outcome, InputError):
            reply(refused(outcome))
            return
        radius, doubt = 1000 * outcome.radius_m, 1000 * outcome.radius_sd_m
        text = (
            f"The radius is {radius:.1f} ± {doubt:.1f} mm, used until the service restarts. To keep"
            f" it, put radius_m = {outcome.radius_m:.4f} into the roller's [[rollers]] entry."
        )
        reply(Answer(ok=True, text=text, radius_m=outcome.radius_m))

    lane.calibrate(distance_m, tell)
    text = (
        f"Roll {1000 * distance_m:g} mm in one go, from mark to mark, and let the roller rest"
        " before and after."
    )
    reply(Answer(ok=True, text=text, final=False))
