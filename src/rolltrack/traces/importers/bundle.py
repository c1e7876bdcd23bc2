"""What a user hands in: one file, a zip, or a folder, seen as named members."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TextIO

from rolltrack.errors import InputError

OnBytes = Callable[[int], None]

_GZIP_MAGIC = b"\x1f\x8b"
# A zip can promise anything; ten hours of the fastest phone are less.
_LARGEST_MEMBER_BYTES = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a recording.

    Attributes:
        name: its name inside the recording, with folders.
        where: what to call it in an error.
        size_bytes: its size when unpacked, as far as known.
        opener: opens it for reading.
    """

    name: str
    where: str
    size_bytes: int
    opener: Callable[[], IO[bytes]]

    @property
    def stem(self) -> str:
        """The name without folders and ending, in lower case."""
        return PurePosixPath(self.name).name.partition(".")[0].lower()

    @contextmanager
    def open_text(self) -> Iterator[TextIO]:
        """The member as text, unpacked if need be.

        Raises:
            InputError: it cannot be read, or is not text.
        """
        try:
            with self.opener() as raw:
                packed = raw.read(2) == _GZIP_MAGIC
            with self.opener() as raw:
                plain = gzip.GzipFile(fileobj=raw) if packed else raw
                with io.TextIOWrapper(plain, encoding="utf-8-sig") as text:
                    yield text
        except UnicodeDecodeError:
            raise InputError(f"{self.where}: this is not a text file.") from None
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise InputError(f"{self.where}: the file is cut off or damaged ({error}).") from None
        except (OSError, RuntimeError, NotImplementedError) as error:
            # zipfile: RuntimeError for a password, NotImplementedError for a rare compression.
            raise InputError(f"{self.where}: cannot be read: {error}.") from None


@dataclass(frozen=True, slots=True)
class Bundle:
    """The members of a recording.

    Attributes:
        path: what the user named.
        members: its text files that may hold readings.
        on_bytes: told how much text was read since the last call.
    """

    path: Path
    members: tuple[Member, ...]
    on_bytes: OnBytes | None = None

    @property
    def size_bytes(self) -> int:
        """How much there is to read in all."""
        return sum(member.size_bytes for member in self.members)

    def find(self, stem: str) -> Member | None:
        """The member with this name, whatever its folder, ending and case."""
        return next((member for member in self.members if member.stem == stem), None)


def open_bundle(path: Path, on_bytes: OnBytes | None = None) -> Bundle:
    """Look at a file, zip archive or folder.

    Raises:
        InputError: it is not there, or a damaged archive.
    """
    if path.is_dir():
        return Bundle(path, _files(sorted(path.glob("*.csv"))), on_bytes)
    if not path.exists():
        raise InputError(f"{path}: cannot be read: No such file or directory.")
    if not zipfile.is_zipfile(path):
        return Bundle(path, _files([path]), on_bytes)
    return Bundle(path, _zip_members(path), on_bytes)


def siblings(bundle: Bundle) -> Bundle:
    """The CSV files in the folder of a single file, itself included."""
    return Bundle(bundle.path, _files(sorted(bundle.path.parent.glob("*.csv"))), bundle.on_bytes)


def _files(paths: list[Path]) -> tuple[Member, ...]:
    return tuple(
        Member(path.name, str(path), path.stat().st_size, _file_opener(path)) for path in paths
    )


def _file_opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _zip_members(path: Path) -> tuple[Member, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{path}: the zip archive is damaged ({error}).") from None
    members = []
    for entry in entries:
        name = PurePosixPath(entry.filename)
        if name.suffix.lower() not in {".csv", ".txt", ".json"} or name.name.startswith("."):
            continue
        if entry.file_size > _LARGEST_MEMBER_BYTES:
            raise InputError(f"{path}: {name} would unpack to {entry.file_size / 2**30:.0f} GB.")
        where = f"{path}: {name}"
        members.append(Member(str(name), where, entry.file_size, _zip_opener(path, entry)))
    return tuple(members)


def _zip_opener(path: Path, entry: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    def opener() -> IO[bytes]:
        # ZipFile keeps the file open until its last member is closed.
        with zipfile.ZipFile(path) as archive:
            return archive.open(entry)

    return opener
