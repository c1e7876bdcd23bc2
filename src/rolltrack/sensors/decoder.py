"""What every decoder of a sensor's wire format promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rolltrack.errors import DecodeError

if TYPE_CHECKING:
    from rolltrack.core.sample import ImuSamples, SignalGap


class SetupFault(DecodeError):  # noqa: N818  what the sensor's owner set up wrongly, not a broken message
    """The sensor works as it was told, but was told something that cannot be used.

    `what` and `hint` are written for the person who holds the sensor: show them `str()` of it.
    """


class Decoder(Protocol):
    """Turns one sensor's messages into readings; keeps what it must carry from one to the next.

    Decoders read no clock: the moment a message arrived is told to them.

    Attributes:
        last_s: stream time of the last reading given out, minus infinity before the first.
    """

    last_s: float

    def decode(self, message: bytes, arrival_s: float) -> list[ImuSamples | SignalGap]:
        """Readings of one message and the holes before them, oldest first; maybe none.

        Args:
            message: one packet, notification or request body.
            arrival_s: stream time at which it arrived.

        Returns:
            Items whose times increase strictly, from call to call too. A hole stands before the
            first reading after it.

        Raises:
            DecodeError: the message is not what the sensor's specification promises; it is skipped
                and the decoder can go on with the next.
            SetupFault: no message of this sensor can be used until its owner changes something.
        """
        ...
