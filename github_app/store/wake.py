"""Wake waiting workers when the database changed, whichever process changed it."""

import select
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import URL

from github_app.store.engine import Database

if TYPE_CHECKING:
    import psycopg

CHANNEL = "countersign_work"
POLL_SECONDS = 0.02
_RECONNECT_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Waker:
    """Counts changes, and lets threads wait for the next one.

    One change wakes one thread; a thread that found work calls ``pass_on``, because there may be
    more. So a burst wakes as many as it keeps busy, and a single event does not wake everybody.
    The watching thread starts with the first ``wait`` and ends with ``close``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._condition = threading.Condition()
        self._version = 0
        self._watcher: threading.Thread | None = None
        self._stop = _Stop()

    @property
    def version(self) -> int:
        """Read it before looking for work, and give it to ``wait`` after finding none."""
        return self._version

    def changed(self) -> None:
        with self._condition:
            self._version += 1
            self._condition.notify()

    def wake_all(self) -> None:
        """Every waiting thread, whether or not there is work: the process is stopping."""
        with self._condition:
            self._version += 1
            self._condition.notify_all()

    def pass_on(self) -> None:
        with self._condition:
            self._condition.notify()

    def wait(self, seen: int, timeout: float) -> None:
        """Until the version is no longer ``seen``, for ``timeout`` seconds at most."""
        with self._condition:
            if self._watcher is None and not self._stop.is_set():
                self._watcher = threading.Thread(
                    target=self._watch, name="countersign-waker", daemon=True
                )
                self._watcher.start()
            self._condition.wait_for(lambda: self._version != seen or self._stop.is_set(), timeout)

    def close(self) -> None:
        self._stop.set()
        with self._condition:
            self._condition.notify_all()
        if self._watcher is not None:
            self._watcher.join()
        self._stop.close()

    def _watch(self) -> None:
        watch = _watch_sqlite if self._database.is_sqlite else _watch_postgresql
        while not self._stop.is_set():
            try:
                watch(self._database.url, self.changed, self._stop)
            except (sqlite3.Error, OSError) as error:
                # Until it is back, workers find their work when their waiting times out.
                _log.warning("store.watch_failed", error=type(error).__name__)
                self._stop.wait(_RECONNECT_SECONDS)


class _Stop:
    """An event that can be waited for together with a socket."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._reader, self._writer = socket.socketpair()
        self.is_set = self._event.is_set
        self.wait = self._event.wait

    def fileno(self) -> int:
        return self._reader.fileno()

    def set(self) -> None:
        if not self._event.is_set():
            self._event.set()
            self._writer.send(b".")

    def close(self) -> None:
        self._reader.close()
        self._writer.close()


def _watch_sqlite(url: URL, changed: Callable[[], None], stop: _Stop) -> None:
    with closing(sqlite3.connect(str(url.database))) as connection:
        version = None
        while not stop.is_set():
            row = connection.execute("PRAGMA data_version").fetchone()
            if row != version:  # also the first time: something may have come before we watched
                version = row
                changed()
            time.sleep(POLL_SECONDS)  # half the price of waiting for ``stop``


def _watch_postgresql(url: URL, changed: Callable[[], None], stop: _Stop) -> None:
    import psycopg  # not at the top: SQLite alone saves its 10 MB in every process

    try:
        _listen(psycopg.connect, url, changed, stop)
    except psycopg.Error as error:
        raise ConnectionError(type(error).__name__) from error


def _listen(
    connect: "Callable[..., psycopg.Connection]",
    url: URL,
    changed: Callable[[], None],
    stop: _Stop,
) -> None:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(connect(dsn, autocommit=True, connect_timeout=5)) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        changed()
        while not stop.is_set():
            select.select([connection.fileno(), stop.fileno()], [], [])
            connection.pgconn.consume_input()
            if connection.pgconn.notifies():
                while connection.pgconn.notifies():
                    pass
                changed()
