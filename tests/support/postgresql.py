"""A real PostgreSQL server of the tests' own: a private cluster on loopback, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg
import pytest
from support.brokers import HOST, free_port

PASSWORD = "correct-horse"
OWNER = "coach"


def find_binaries() -> Path | None:
    """Debian keeps them off the PATH, one folder per version."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return newest[-1].parent if newest else None


class Cluster:
    """Local socket without a password, TCP with one."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self._binaries = binaries
        self._data = folder / "data"
        # The server refuses to run as root.
        self._user = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if self._user:
            shutil.chown(folder, **self._user)
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run(
            *("initdb", "-D", self._data, "-U", OWNER, "--pwfile", secret, "-E", "UTF8"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--no-locale"),
        )
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses={HOST} -c fsync=off"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", log, "-o", options, "start")

    def crash(self) -> None:
        """All server processes die at once, with no goodbye."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"d{uuid.uuid4().hex}"
        with psycopg.connect(self._socket("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{OWNER}@/{name}?host={self.folder}&port={self.port}"

    def over_tcp(self, url: str) -> str:
        """The same database, where a password is asked for."""
        name = url.partition("?")[0].rpartition("/")[2]
        return f"postgresql://{OWNER}@{HOST}:{self.port}/{name}"

    def _socket(self, database: str) -> str:
        return f"host={self.folder} port={self.port} user={OWNER} dbname={database}"

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self._binaries / program, *map(str, arguments)],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else None,
            timeout=90,
            **self._user,
        )


@pytest.fixture(scope="session")
def cluster():
    binaries = find_binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and CI must have it")
        pytest.skip("PostgreSQL is not installed; CI has it")
    folder = Path(tempfile.mkdtemp(prefix="rolltrack-pg-"))
    running = Cluster(folder, binaries)
    yield running
    with contextlib.suppress(subprocess.CalledProcessError):
        running.crash()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """An empty database of each kind: a path or a URL."""
    if request.param == "sqlite":
        return str(tmp_path / "archive" / "rolltrack.db")
    return request.getfixturevalue("cluster").new_database()
