"""Numbered messages that overtake each other -> messages in order, after a bounded wait."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_REMEMBERED = 32
"""A message that came before comes again among the next few."""


@dataclass(frozen=True, slots=True)
class Ordered(Generic[T]):
    """A message whose turn has come; `skipped` messages before it never came."""

    message: T
    skipped: int


class ReorderBuffer(Generic[T]):
    """Holds messages back while an earlier one is missing, but not for ever.

    A missing message is given up once `depth` later ones wait or one has waited for `wait_s`; when
    it comes after that it is dropped, like a copy. Nothing is held while messages come in order.
    But when `depth` messages that never came before are too late in a row, and in order among
    themselves, the number before them was wrong or counting has begun anew: it goes on with them.

    Args:
        wait_s: longest wait for a missing message.
        depth: how many later messages wait for it at most.
        early: a first message with a number up to this may have overtaken number 0.
    """

    def __init__(self, wait_s: float = 1.0, depth: int = 4, early: int = 3) -> None:
        self._wait_s = wait_s
        self._depth = depth
        self._early = early
        self._next: int | None = None
        self._waiting: dict[int, tuple[T, float]] = {}
        self._late: dict[int, T] = {}
        self._given: deque[int] = deque(maxlen=_REMEMBERED)

    def push(self, number: int, message: T, arrival_s: float) -> list[Ordered[T]]:
        """Take a message; return those whose turn has come, in order."""
        if self._next is None:
            self._next = 0 if number <= self._early else number
        if number < self._next:
            return self._take_late(number, message, arrival_s)
        self._late.clear()
        self._waiting.setdefault(number, (message, arrival_s))
        due: list[Ordered[T]] = []
        while self._waiting and (min(self._waiting) == self._next or self._given_up(arrival_s)):
            due.append(self._pop())
        return due

    def drain(self) -> list[Ordered[T]]:
        """Give up all missing messages: return those that wait, in order."""
        return [self._pop() for _ in range(len(self._waiting))]

    def _take_late(self, number: int, message: T, arrival_s: float) -> list[Ordered[T]]:
        """A copy, one that was given up, or the sign that `_next` is wrong."""
        if number in self._given or number in self._late:
            return []
        if any(number < earlier for earlier in self._late):
            self._late.clear()
        self._late[number] = message
        if len(self._late) < self._depth:
            return []
        due = self.drain()
        self._next = min(self._late)
        self._waiting = {n: (late, arrival_s) for n, late in self._late.items()}
        self._late.clear()
        return [*due, *self.drain()]

    def _pop(self) -> Ordered[T]:
        first = min(self._waiting)
        message, _ = self._waiting.pop(first)
        skipped = first - (first if self._next is None else self._next)
        self._next = first + 1
        self._given.append(first)
        return Ordered(message, skipped)

    def _given_up(self, now_s: float) -> bool:
        oldest_s = min(arrival_s for _, arrival_s in self._waiting.values())
        return len(self._waiting) >= self._depth or now_s - oldest_s >= self._wait_s
