"""The Sensor Logger app's push messages (HTTP, and MQTT alike): JSON batches from a phone.

Format: PUSHING.md, UNITS.md and CROSSPLATFORM.md of github.com/tszheichoi/awesome-sensor-logger.
The app splits the accelerometer into `accelerometer` (without gravity) and `gravity`; Android
phones can send their sum as `totalacceleration`. `accelerometeruncalibrated` has gravity too.

iPhones turn all signs of acceleration and gravity round, and give the uncalibrated accelerometer in
g, unless "Standardise Units & Frames" is on in the app's settings. The unit gives the uncalibrated
accelerometer away; for the others the messages do not tell, so the setting is required.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
import numpy as np

from rolltrack.core.sample import MOST_MPS2, FloatArray, ImuSamples, SignalGap
from rolltrack.errors import DecodeError
from rolltrack.sensors.channel import Channel
from rolltrack.sensors.decoder import SetupFault
from rolltrack.sensors.reorder import Ordered, ReorderBuffer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rolltrack.core.sample import GapReason

_ACCEL, _GRAVITY, _TOTAL = "accelerometer", "gravity", "totalacceleration"
_UNCALIBRATED, _GYRO = "accelerometeruncalibrated", "gyroscope"
_SENSORS = (_ACCEL, _GRAVITY, _TOTAL, _UNCALIBRATED, _GYRO)

_STANDARD_GRAVITY_MPS2 = 9.80665
_NS = 1_000_000_000
# How long readings wait for the same instant of another sensor.
_HOLD_NS = _NS // 2
# How long a recording may take until all its sensors have spoken.
_GRACE_NS = _NS
_ENOUGH_FOR_UNIT = 10
_IN_G = (0.5, 2.0)
_IN_MPS2 = (5.0, 20.0)
# Later copies reach back less than this; a clock that is set reaches back more.
_CLOCK_SET_BACK_S = 1.0
# No push comes this much quicker than the quickest before. In a recording that is pushed in a hurry
# the next readings gain less.
_CLOCK_SET_AHEAD_S = 60.0
_RESTART_AFTER_S = 0.001
_FARTHEST_NS = 2**62 - 1
"""So far from one another two times of 62 bits are at most within 64."""

_Nanoseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class _Vector(msgspec.Struct, frozen=True):
    x: float | None = None
    y: float | None = None
    z: float | None = None


class _Reading(msgspec.Struct, frozen=True):
    name: str
    time: _Nanoseconds
    values: msgspec.Raw = msgspec.Raw(b"null")


class _Message(msgspec.Struct, frozen=True, rename="camel"):
    message_id: int = 0
    session_id: str = ""
    device_id: str = ""
    payload: tuple[_Reading, ...] = ()


_MESSAGE = msgspec.json.Decoder(_Message)
_VECTOR = msgspec.json.Decoder(_Vector | None)

_Readings: TypeAlias = tuple[list[int], list[tuple[float, float, float]]]


@dataclass(frozen=True, slots=True)
class Push:
    """One message of the app.

    Attributes:
        message_id: counts the messages of a recording from 0.
        session_id: the recording.
        device_id: the phone.
        readings: per sensor times in ns since 1970 and values; only the sensors that matter here.
        span_ns: earliest and latest time of anything in it, None when it is empty.
    """

    message_id: int
    session_id: str
    device_id: str
    readings: dict[str, _Readings]
    span_ns: tuple[int, int] | None


def parse_push(body: bytes) -> Push:
    """Read a message, without needing to know those before it.

    Raises:
        DecodeError: it is not a message of Sensor Logger.
    """
    readings: dict[str, _Readings] = {name: ([], []) for name in _SENSORS}
    try:
        message = _MESSAGE.decode(body)
        for reading in message.payload:
            name = reading.name.lower()
            vector = _VECTOR.decode(reading.values) if name in readings else None
            if vector is None or vector.x is None or vector.y is None or vector.z is None:
                continue
            if max(abs(vector.x), abs(vector.y), abs(vector.z)) > MOST_MPS2:
                continue
            times, values = readings[name]
            times.append(reading.time)
            values.append((vector.x, vector.y, vector.z))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(
            f"not a Sensor Logger message: {error}.", hint="Push JSON from the app Sensor Logger."
        ) from None
    everything = [reading.time for reading in message.payload]
    span_ns = (min(everything), max(everything)) if everything else None
    return Push(message.message_id, message.session_id, message.device_id, readings, span_ns)


class SensorLoggerDecoder:
    """Messages of one phone -> readings with gravity, on the times of its accelerometer.

    Stream second 0 is the first reading given out. Messages that overtake each other are put back
    in order (see `ReorderBuffer`); a reading waits up to half a second for the same instant of the
    other sensors.

    Attributes:
        last_s: stream time of the last reading given out.
        epoch_unix_s: Unix time of stream second 0 by the phone's clock, None before the first;
            another one once that clock was set.
    """

    def __init__(self) -> None:
        self.last_s = -math.inf
        self.epoch_unix_s: float | None = None
        self._origin_ns = 0
        self._released_at_s = self._ahead_s = -math.inf
        self._period_s = math.nan
        self._hole: GapReason | None = None
        self._session: str | None = None
        self._start_recording()

    def _start_recording(self) -> None:
        self._messages: ReorderBuffer[Push] = ReorderBuffer()
        self._channels = {name: Channel() for name in _SENSORS}
        self._heard: set[str] = set()
        self._began_ns: int | None = None
        self._latest_ns = 0
        self._uncalibrated_scale: float | None = None

    def decode(self, message: bytes, arrival_s: float) -> list[ImuSamples | SignalGap]:
        """See `Decoder.decode`."""
        return self.decode_push(parse_push(message), arrival_s)

    def decode_push(self, push: Push, arrival_s: float) -> list[ImuSamples | SignalGap]:
        """The same for a message that has been parsed.

        Raises:
            SetupFault: for a second or more the app has not sent what is needed.
        """
        items: list[ImuSamples | SignalGap] = []
        if push.session_id != self._session:
            if self._session is not None:
                items += self.flush(arrival_s)
                self._hole = "no_data"
            self._session = push.session_id
            self._start_recording()
        items += self._take_all(self._messages.push(push.message_id, push, arrival_s), arrival_s)
        self._check_setup()
        return items

    def flush(self, arrival_s: float) -> list[ImuSamples | SignalGap]:
        """Readings that still wait for others; for a phone that has fallen silent."""
        items = self._take_all(self._messages.drain(), arrival_s)
        return items + self._release(arrival_s, wait=False)

    def _take_all(
        self, messages: list[Ordered[Push]], arrival_s: float
    ) -> list[ImuSamples | SignalGap]:
        items: list[ImuSamples | SignalGap] = []
        for due in messages:
            if due.skipped:
                items += self._release(arrival_s, wait=False)
                self._hole = "packets_lost"
            self._take(due.message)
            items += self._release(arrival_s)
        return items

    def _take(self, push: Push) -> None:
        for name, (t_ns, xyz) in push.readings.items():
            self._channels[name].add(t_ns, xyz)
            if t_ns:
                self._heard.add(name)
        if push.span_ns is not None:
            earliest_ns, self._latest_ns = push.span_ns
            self._began_ns = earliest_ns if self._began_ns is None else self._began_ns

    def _grace_is_over(self) -> bool:
        return self._began_ns is not None and self._latest_ns - self._began_ns >= _GRACE_NS

    def _leader(self) -> str | None:
        """The sensor whose times count; None while it is open which there will be."""
        if _TOTAL in self._heard:
            return _TOTAL
        if {_ACCEL, _GRAVITY} <= self._heard:
            return _ACCEL
        if _UNCALIBRATED in self._heard:
            return _UNCALIBRATED
        only_gyro = _GYRO in self._heard and _ACCEL not in self._heard
        return _GYRO if only_gyro and self._grace_is_over() else None

    def _check_setup(self) -> None:
        if not self._grace_is_over() or self._leader() is not None:
            return
        self._channels = {name: Channel() for name in _SENSORS}
        if _ACCEL in self._heard:
            raise SetupFault(
                "The accelerometer comes without gravity.",
                hint="In Sensor Logger switch on Gravity (or Total Acceleration) as well.",
            )
        raise SetupFault(
            "No motion sensor is switched on.",
            hint="In Sensor Logger switch on Accelerometer, Gravity and Gyroscope.",
        )

    def _release(self, arrival_s: float, *, wait: bool = True) -> list[ImuSamples | SignalGap]:
        leader = self._leader()
        if leader is None or not len(self._channels[leader]):
            return []
        if leader == _UNCALIBRATED and not self._scale_is_known(wait=wait):
            return []
        t_ns, xyz = self._channels[leader].take_until(self._complete_until(leader, wait=wait))
        if not len(t_ns):
            return []
        accel = self._specific_force(leader, t_ns, xyz)
        gyro = self._channels[_GYRO].at(t_ns) if _GYRO in self._heard else None
        if leader == _GYRO:
            accel, gyro = None, xyz
        for name in _SENSORS:
            if name != leader:
                self._channels[name].forget_before(int(t_ns[-1]))
        return self._on_stream_time(t_ns, accel, gyro, arrival_s)

    def _complete_until(self, leader: str, *, wait: bool) -> int:
        """Up to when all sensors that lead or follow have spoken."""
        newest_ns = self._channels[leader].newest_ns or 0
        if not wait:
            return newest_ns
        followers = [_GRAVITY] if leader == _ACCEL else []
        followers += [_GYRO] if leader != _GYRO and _GYRO in self._heard else []
        spoken = [self._channels[name].newest_ns or 0 for name in followers]
        return max(min([newest_ns, *spoken]), newest_ns - _HOLD_NS)

    def _specific_force(
        self, leader: str, t_ns: NDArray[np.int64], xyz: FloatArray
    ) -> FloatArray | None:
        if leader == _ACCEL:
            return xyz + self._channels[_GRAVITY].at(t_ns)
        if leader == _UNCALIBRATED:
            return xyz * (self._uncalibrated_scale or math.nan)
        return xyz

    def _scale_is_known(self, *, wait: bool) -> bool:
        """Find out from the norm which unit and sign the uncalibrated accelerometer has."""
        xyz = self._channels[_UNCALIBRATED].xyz
        if self._uncalibrated_scale is None and (len(xyz) >= _ENOUGH_FOR_UNIT or not wait):
            norm = float(np.median(np.linalg.norm(xyz, axis=1)))
            if _IN_G[0] < norm < _IN_G[1]:
                self._uncalibrated_scale = -_STANDARD_GRAVITY_MPS2
            elif _IN_MPS2[0] < norm < _IN_MPS2[1]:
                self._uncalibrated_scale = 1.0
        if self._uncalibrated_scale is None and len(xyz) > 10 * _ENOUGH_FOR_UNIT:
            self._channels[_UNCALIBRATED] = Channel()
            raise DecodeError(
                "The uncalibrated accelerometer's norm is neither 1 g nor 9.81 m/s2.",
                hint="In Sensor Logger use Accelerometer and Gravity instead.",
            )
        return self._uncalibrated_scale is not None

    def _on_stream_time(
        self,
        t_ns: NDArray[np.int64],
        accel: FloatArray | None,
        gyro: FloatArray | None,
        arrival_s: float,
    ) -> list[ImuSamples | SignalGap]:
        if self.epoch_unix_s is None:
            self._origin_ns = int(t_ns[0])
            self.epoch_unix_s = self._origin_ns / _NS
        t_s = (t_ns - self._origin_ns) / _NS
        fitting = int(np.searchsorted(t_s, self._latest_s(arrival_s), side="right"))
        if fitting == 0 or self._went_back(t_s):
            self._set_anew(t_ns, arrival_s)
            t_s, fitting = (t_ns - self._origin_ns) / _NS, len(t_s)
        fresh = slice(int(np.searchsorted(t_s, self.last_s, side="right")), fitting)
        samples = ImuSamples(t_s, accel, gyro)[fresh]
        if not len(samples):
            return []
        items = self._close_hole(float(samples.t_s[0]))
        if len(samples) > 1:
            self._period_s = float(np.median(np.diff(samples.t_s)))
        self.last_s = float(samples.t_s[-1])
        self._released_at_s = arrival_s
        self._ahead_s = max(self._ahead_s, self.last_s - arrival_s)
        return [*items, samples]

    def _latest_s(self, arrival_s: float) -> float:
        """Readings beyond it are from a clock that was set, unless a recording begins."""
        begins = self._ahead_s == -math.inf or self._hole == "no_data"
        return math.inf if begins else arrival_s + self._ahead_s + _CLOCK_SET_AHEAD_S

    def _went_back(self, t_s: FloatArray) -> bool:
        """A phone sets its clock, or a new recording starts on one that was set."""
        if self._hole == "no_data":
            return bool(t_s[0] <= self.last_s)
        return bool(t_s[-1] < self.last_s - _CLOCK_SET_BACK_S)

    def _set_anew(self, t_ns: NDArray[np.int64], arrival_s: float) -> None:
        """However the phone's clock was set, as much time has passed as between arrivals."""
        passed_s = arrival_s - self._released_at_s - float(t_ns[-1] - t_ns[0]) / _NS
        start_s = self.last_s + max(passed_s, _RESTART_AFTER_S)
        origin_ns = int(t_ns[0]) - round(start_s * _NS)
        if abs(origin_ns) > _FARTHEST_NS:
            raise DecodeError("the phone's clock jumps by decades.", hint="Start a new recording.")
        self._origin_ns, self.epoch_unix_s = origin_ns, origin_ns / _NS
        self._ahead_s = -math.inf
        self._hole = "clock_reset"

    def _close_hole(self, first_s: float) -> list[SignalGap]:
        reason, self._hole = self._hole, None
        if reason is None or self.last_s == -math.inf:
            return []
        lost = 0
        if reason == "packets_lost" and self._period_s > 0:
            lost = max(round((first_s - self.last_s) / self._period_s) - 1, 0)
        return [SignalGap(self.last_s, first_s, lost, reason)]
