"""What Sensor Logger talks to: who may push, how much, and what the app is told."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from rolltrack.errors import DecodeError
from rolltrack.sensors.decoder import SetupFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

MAX_BODY_BYTES = 4 * 2**20
"""A minute of three sensors at 100 Hz, for a phone that catches up."""

BODY_PATIENCE_S = 20.0

SHOWN_BY_THE_APP = 499
"""Sensor Logger shows the text of this status to its user, once per recording."""


class _TooLargeError(Exception):
    """The body is longer than any push."""


def phone_app(receive: Callable[[bytes], None], token: str | None) -> Starlette:
    """Build the end point.

    Args:
        receive: takes the body of a push; raises SetupFault for what the phone's owner must
            change, DecodeError for what is not a push.
        token: what every request must carry, None for none.
    """

    async def answer(request: Request) -> Response:
        if not _may_enter(request, token):
            return _text(401, "Add ?token=... with the token of this rolltrack to the push URL.")
        if request.method == "POST":
            return await _take(request, receive)
        return _text(200, "rolltrack listens. Set this address as HTTP push URL in Sensor Logger.")

    return Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])


def _may_enter(request: Request, token: str | None) -> bool:
    if token is None:
        return True
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    shown = request.query_params.get("token") or (bearer if scheme.lower() == "bearer" else "")
    return secrets.compare_digest(shown.encode(), token.encode())


async def _take(request: Request, receive: Callable[[bytes], None]) -> Response:
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            receive(await _body(request))
    except SetupFault as fault:
        return _text(SHOWN_BY_THE_APP, str(fault))
    except DecodeError as fault:
        return _text(400, str(fault))
    except _TooLargeError:
        return _text(413, f"A push may have {MAX_BODY_BYTES} bytes. Choose a shorter batch period.")
    except (ClientDisconnect, TimeoutError):
        return _text(408, "The push did not arrive completely.")
    return _text(200, "ok")


async def _body(request: Request) -> bytes:
    """The whole body, never holding more than the limit."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise _TooLargeError
        parts.append(part)
    return b"".join(parts)


def _text(status: int, text: str) -> PlainTextResponse:
    return PlainTextResponse(text + "\n", status_code=status)
