"""What an importer hands over, and what every importer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rolltrack.errors import InputError

if TYPE_CHECKING:
    from rolltrack.traces.importers.bundle import Bundle
    from rolltrack.traces.importers.series import Series


@dataclass(frozen=True, slots=True)
class Imported:
    """Readings in SI, each sensor on its own times as they stand in the file.

    Attributes:
        accel: specific force with gravity in m/s2, or None.
        gyro: angular rate in rad/s, or None.
        started_at_unix_s: Unix time of second 0 of those times, if the recording says.
        notes: what the user should know.
    """

    accel: Series | None
    gyro: Series | None
    started_at_unix_s: float | None = None
    notes: tuple[str, ...] = ()


class Importer(Protocol):
    """One format.

    Attributes:
        NAME: what to call it to a user.
    """

    NAME: str

    def read(self, bundle: Bundle) -> Imported | None:
        """The recording, or None if it is not in this format.

        Raises:
            InputError: it is in this format and cannot be used.
        """
        ...


GRAVITY_LEFT_OUT = (
    "left the accelerometer out: gravity has been taken out of it; the gyroscope alone is used"
)


def refuse_gravity_free(where: str, hint: str) -> InputError:
    """The error for a recording with nothing but a gravity-free accelerometer."""
    return InputError(
        f"{where}: gravity has been taken out of the accelerometer and there is no gyroscope;",
        hint=hint,
    )
