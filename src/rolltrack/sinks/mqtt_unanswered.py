"""Sessions that were sent and stayed without an answer: which they are, and whose turn it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Key: TypeAlias = "tuple[str, int]"
"""The topic of the receipt, and the revision."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How sessions are sent.

    Attributes:
        window: so many may be on their way; the rest waits in the store.
        again_min_s: the first pause before a session is sent again; it doubles.
        again_max_s: the longest pause.
        rounds: after so many sendings without an answer a session makes room for the next. They
            take longer than an archive needs to find a broker that has come back.
    """

    window: int = 100
    again_min_s: float = 3.0
    again_max_s: float = 300.0
    rounds: int = 3


class Unanswered:
    """Keeps only numbers and keys, for the sessions themselves are in the store.

    They are sent again from the first to the last, a few at a time and slowly. An answer to one of
    them says that somebody answers again, and the next ones follow soon.

    Times are the caller's. `after` is where the next ones begin: they have higher numbers.
    """

    def __init__(self, pace: Pace) -> None:
        self.after = 0
        self._pace = pace
        self._numbers: dict[Key, int] = {}
        self._due_s = 0.0

    @property
    def due_s(self) -> float:
        """When the next ones are to be sent; never if there are none."""
        return self._due_s if self._numbers else math.inf

    @property
    def last(self) -> int:
        """The highest number among them, 0 when there are none."""
        return max(self._numbers.values(), default=0)

    def add(self, number: int, key: Key, now_s: float) -> None:
        """This one has not been answered."""
        if not self._numbers:
            self._due_s, self.after = now_s + self._pace.again_max_s, 0
        self._numbers[key] = number

    def take(self, key: Key, now_s: float) -> int | None:
        """Answered after all: its number; None if it is not one of these."""
        number = self._numbers.pop(key, None)
        if number is not None:
            self._due_s = min(self._due_s, now_s + self._pace.again_min_s)
        return number

    def start_over(self) -> None:
        """A new connection may fare better: begin with the first, now."""
        self._due_s, self.after = 0.0, 0

    def sent(self, found: Mapping[int, Key], until: int, now_s: float) -> None:
        """What the store has after `after`, up to the number `until`, has been sent again.

        Others with such numbers are gone from the store.
        """
        kept = {k: n for k, n in self._numbers.items() if not self.after < n <= until}
        self._numbers = kept | {key: number for number, key in found.items()}
        self.after = until if until < self.last else 0
        self._due_s = now_s + self._pace.again_max_s
