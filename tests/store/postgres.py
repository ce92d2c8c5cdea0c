"""A real PostgreSQL server for tests, started from the machine's own binaries."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

_SYSTEM = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: from PATH, else the newest that is installed."""
    found = shutil.which("initdb")
    if found and shutil.which("postgres"):
        return Path(found).resolve().parent
    versions = sorted(_SYSTEM.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


class Server:
    """A running server; it listens on a socket file only and dies with ``stop``."""

    def __init__(self, binary: Path) -> None:
        # Not pytest's folder: the server may have to run as somebody who cannot look into it.
        self.folder = Path(tempfile.mkdtemp(prefix="countersign-pg-"))
        self._binary = binary
        self._databases = 0
        self._as_somebody: Mapping[str, str | int | list[str]] = {}
        if os.geteuid() == 0:  # postgres refuses to run as root
            shutil.chown(self.folder, "nobody")
            self._as_somebody = {"user": "nobody", "extra_groups": []}
        self._run("initdb", "-D", str(self._data), "-U", "tests", "-A", "trust", "-E", "UTF8")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses= -c max_connections=200"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, "start")

    def stop(self, *, mode: str = "fast") -> None:
        """``mode`` ``immediate`` is a crash: nothing is flushed."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://tests@/{database}?host={self.folder}"

    def new_database(self, template: str = "template1") -> str:
        """The URL of a fresh database, a copy of ``template``."""
        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._binary / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            **self._as_somebody,  # type: ignore[call-overload]  # user and group
        )


@contextmanager
def server(binary: Path) -> Iterator[Server]:
    running = Server(binary)
    try:
        running.start()
        try:
            yield running
        finally:
            running.stop(mode="immediate")
    finally:
        running.remove()
