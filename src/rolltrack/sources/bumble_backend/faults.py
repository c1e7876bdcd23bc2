"""bumble's exceptions in bleak's words."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def as_bleak_errors(link_is_up: Callable[[], bool]) -> Iterator[None]:
    """Translate what bumble raises inside the block.

    bumble cancels whatever waits on a link that goes down. That is an error of the link; a
    cancellation that somebody asked of this task stays one. It stays one even when bumble loses it:
    Python 3.11's `wait_for` drops a cancellation that comes together with the awaited answer.
    """
    task = asyncio.current_task()
    asked_before = task.cancelling() if task else 0
    try:
        yield
    except att.ATT_Error as error:
        raise BleakGATTProtocolError(error.error_code) from error
    except core.BaseBumbleError as error:
        raise BleakError(str(error) or type(error).__name__) from error
    except asyncio.CancelledError:
        if link_is_up() or (task and task.cancelling()):
            raise
        raise BleakError("Disconnected while waiting for the device") from None
    if task and task.cancelling() > asked_before:
        raise asyncio.CancelledError
