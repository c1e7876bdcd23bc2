"""What people and other programs may ask of a running service, whatever way it reaches us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

OrderName: TypeAlias = Literal["start", "stop", "calibrate", "set-limit"]


@dataclass(frozen=True, slots=True)
class Order:
    """Something to do for one roller, now; its values are in range.

    Attributes:
        athlete: whose the roller is thought to be.
        roller: its public id.
        limit_mps: with "set-limit".
        distance_m: with "calibrate".
    """

    athlete: str
    roller: str
    name: OrderName
    limit_mps: float | None = None
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order.

    Attributes:
        ok: it is done, or under way.
        text: for people: what happened; if it did not, what to do.
        final: False when another answer will follow.
        limit_mps: the limit in force after "set-limit".
        radius_m: the radius in force after "calibrate".
    """

    ok: bool
    text: str
    final: bool = True
    limit_mps: float | None = None
    radius_m: float | None = None


Reply: TypeAlias = Callable[[Answer], None]


class OrderSource(Protocol):
    """A way by which orders come; the service listens to it."""

    def listen(self, take: Callable[[Order, Reply], None]) -> None:
        """Hand every order to `take`, on the event loop."""
        ...
