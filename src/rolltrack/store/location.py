"""Where a database is: an SQLite file, or the URL of a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from rolltrack.errors import UsageError

POSTGRESQL = "postgresql"
DRIVER = "postgresql+psycopg"


@dataclass(frozen=True, slots=True)
class Location:
    """A database, as the program reaches it and as people read it.

    Attributes:
        url: what SQLAlchemy opens; may hold a password, so it is never shown.
        what: what the database is, at the beginning of a sentence.
        setting: the configuration key that names another one.
    """

    url: URL = field(repr=False)
    what: str
    setting: str

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a server."""
        if self.url.get_backend_name() == POSTGRESQL or self.url.database is None:
            return None
        return Path(self.url.database)

    @property
    def name(self) -> str:
        """The file, or the URL with stars for its password."""
        return str(self.file or self.url.set(drivername=POSTGRESQL))

    def __str__(self) -> str:
        return f"{self.what} {self.name}"

    def with_password(self, password: str | None) -> Location:
        """The same server, logged in to with this password; None leaves that to libpq."""
        return self if password is None else replace(self, url=self.url.set(password=password))


def file_location(
    path: Path, *, what: str = "Session store", setting: str = "store.path"
) -> Location:
    """An SQLite file."""
    return Location(URL.create("sqlite", database=str(path.expanduser())), what, setting)


def location_of(text: str, *, what: str, setting: str) -> Location:
    """A path, or a URL like `postgresql://coach@db.example.org/rolltrack`.

    Raises:
        UsageError: it is another kind of URL, or holds a password, which files and process lists
            would show.
    """
    if "://" not in text:
        return file_location(Path(text), what=what, setting=setting)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise UsageError(
            f"{setting}: this is not the URL of a database.",
            hint="Write postgresql://USER@HOST/DATABASE, or the path of an SQLite file.",
        ) from error
    if url.drivername not in {POSTGRESQL, DRIVER}:
        raise UsageError(
            f'{setting}: a database at "{url.drivername}://" cannot be used.',
            hint="Write postgresql://USER@HOST/DATABASE, or the path of an SQLite file.",
        )
    if url.password is not None or "password" in url.query:
        raise UsageError(
            f"{setting}: the URL holds a password, which others could read.",
            hint=f"Put it into a file, and set {setting}_password_file; or into PGPASSWORD.",
        )
    return Location(url.set(drivername=DRIVER), what, setting)
