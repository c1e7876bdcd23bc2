"""Sessions in progress: one append-only file each, from which a killed service's can be recovered.

A file is a row of frames: length and CRC-32 (two little-endian u32), then MessagePack. The first
frame says whose session it is and how it is judged, every other one holds readings or tells of a
hole or of another speed limit. What was cut off by a crash fails its length or checksum, and ends
the journal there.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import msgspec
import numpy as np

from rolltrack.core.coaching.protocol import RollingProtocol
from rolltrack.core.events import LimitSet
from rolltrack.core.motion.shapes import Shape
from rolltrack.core.sample import GapReason, ImuSamples, SignalGap
from rolltrack.errors import StoreError

try:
    import fcntl
except ImportError:  # only one service may then use a folder
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ENDING = ".journal"
_FRAME = struct.Struct("<II")
_LARGEST = 1 << 24
"""Bytes of a frame; anything larger is damage."""


class JournalHead(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known about a session to finish it; see `rolltrack.core.setup.Setup`.

    Attributes:
        session_id: the id it was announced under.
        started_s: stream time of its beginning.
    """

    session_id: str
    started_s: float
    roller: str
    athlete: str
    protocol: RollingProtocol
    radius_m: float
    shape: Shape
    region: str
    epoch_unix_s: float
    id_salt: bytes
    axle: tuple[float, float, float] | None


class _Readings(msgspec.Struct, frozen=True, tag="readings"):
    """`ImuSamples`, each array as little-endian float64 (bytes for the flags)."""

    t_s: bytes
    accel_mps2: bytes | None = None
    gyro_radps: bytes | None = None
    clipped: bytes | None = None


class _Hole(msgspec.Struct, frozen=True, tag="hole"):
    """`SignalGap`."""

    start_s: float
    end_s: float
    lost: int
    reason: GapReason


class _Limit(msgspec.Struct, frozen=True, tag="limit"):
    """`LimitSet`."""

    t_s: float
    limit_mps: float


JournalItem: TypeAlias = ImuSamples | SignalGap | LimitSet

_head = msgspec.msgpack.Decoder(JournalHead)
_item = msgspec.msgpack.Decoder(_Readings | _Hole | _Limit)


class JournalWriter:
    """The journal of one session; it is locked for as long as it is open.

    Raises (every call):
        OSError: the disk is full, or the folder cannot be used.
    """

    def __init__(self, folder: Path, head: JournalHead) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"{head.session_id}{ENDING}"
        descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "ab", buffering=0)
        _lock(self._file)
        self._write(_framed(msgspec.msgpack.encode(head)))

    def append(self, items: Iterable[JournalItem]) -> None:
        """Add to the file; safe from a kill when this returns, from a power cut after `sync`."""
        self._write(b"".join(_framed(msgspec.msgpack.encode(_packed(item))) for item in items))

    def sync(self) -> None:
        """Bring it to the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file, which stays for a recovery."""
        self._file.close()

    def remove(self) -> None:
        """The session is safe elsewhere, or not worth it."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _write(self, data: bytes) -> None:
        """All or nothing: half a frame would hide whatever comes after it."""
        whole = os.fstat(self._file.fileno()).st_size
        try:
            written = self._file.write(data)
            if written != len(data):
                os.write(self._file.fileno(), data[written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file.fileno(), whole)
            raise


class LeftJournal:
    """A journal that a service left behind; it is locked for as long as it is open.

    Attributes:
        head: whose session it is; None when not even that is readable.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._frames = _frames(file)
        self.head: JournalHead | None = None
        first = next(self._frames, None)
        if first is not None:
            with contextlib.suppress(msgspec.MsgspecError):
                self.head = _head.decode(first)

    def items(self) -> Iterator[JournalItem]:
        """What was journalled, once; ends where the file is damaged."""
        for frame in self._frames:
            try:
                yield _unpacked(_item.decode(frame))
            except (msgspec.MsgspecError, ValueError):
                return

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def remove(self) -> None:
        """The session is safe."""
        self.path.unlink(missing_ok=True)
        self.close()


def left_journals(folder: Path) -> Iterator[LeftJournal]:
    """The journals in a folder that no living service holds, oldest session first.

    Raises:
        StoreError: one cannot be read; it says which.
    """
    for path in sorted(folder.glob(f"*{ENDING}")):
        try:
            file = path.open("r+b")
        except FileNotFoundError:
            continue  # its owner has just finished it
        except OSError as error:
            raise StoreError(
                f"Journal {path} cannot be read: {error.strerror}.",
                hint="Correct its permissions, or remove it to give its session up.",
            ) from error
        try:
            _lock(file)
        except BlockingIOError:
            file.close()
            continue
        yield LeftJournal(path, file)


def _lock(file: BinaryIO) -> None:
    if fcntl is not None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _framed(payload: bytes) -> bytes:
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def _frames(file: BinaryIO) -> Iterator[bytes]:
    while len(prefix := file.read(_FRAME.size)) == _FRAME.size:
        length, checksum = _FRAME.unpack(prefix)
        payload = file.read(length) if length <= _LARGEST else b""
        if len(payload) != length or zlib.crc32(payload) != checksum:
            return
        yield payload


def _packed(item: JournalItem) -> _Readings | _Hole | _Limit:
    if isinstance(item, LimitSet):
        return _Limit(item.t_s, item.limit_mps)
    if isinstance(item, SignalGap):
        return _Hole(item.start_s, item.end_s, item.lost, item.reason)
    arrays = (item.t_s, item.accel_mps2, item.gyro_radps)
    t_s, accel, gyro = (None if a is None else a.astype("<f8").tobytes() for a in arrays)
    clipped = None if item.clipped is None else item.clipped.astype(bool).tobytes()
    assert t_s is not None  # noqa: S101 - readings have times; this tells the type checker
    return _Readings(t_s, accel, gyro, clipped)


def _unpacked(packed: _Readings | _Hole | _Limit) -> JournalItem:
    """Raises ValueError where arrays do not have the sizes they should."""
    if isinstance(packed, _Limit):
        return LimitSet(packed.t_s, packed.limit_mps)
    if isinstance(packed, _Hole):
        return SignalGap(packed.start_s, packed.end_s, packed.lost, packed.reason)
    n = len(packed.t_s) // 8

    def array(data: bytes | None, kind: str, *shape: int) -> Any:
        return None if data is None else np.frombuffer(data, kind).reshape(shape).copy()

    return ImuSamples(
        array(packed.t_s, "<f8", n),
        array(packed.accel_mps2, "<f8", n, 3),
        array(packed.gyro_radps, "<f8", n, 3),
        array(packed.clipped, "?", n),
    )
