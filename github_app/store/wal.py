"""SQLite's write-ahead log: on disk when that is asked for, and moved into the database meanwhile.

SQLite would do both inside a commit, while every other writer waits. A commit with
``synchronous=NORMAL`` only hands its pages to the system; ``sync`` then makes the log reach the
disk, for all that committed before it. That is as durable: the log is read back as far as it is
whole, SQLite syncs it before it moves anything out of it, and the database before it reuses it.
"""

import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

from github_app.store.errors import StoreUnavailable

# After so many commits the log is moved into the database; about as many pages as SQLite waits for.
MOVED_AFTER = 250
# A log of so many pages is moved by whoever commits: writers are faster than the mover.
LONGEST_PAGES = 16_384
# While it is moved others commit; what they add is moved at once, so that it can be reused.
_ROUNDS = 3

_to_disk = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


class WriteAheadLog:
    """The log of one database file. Threads may share it; a thread of its own moves the log."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._log = Path(f"{database}-wal")
        self._commits = 0
        self._syncing = threading.Lock()
        self._synced = 0
        self._in_doubt = False
        self._moved = 0
        self._wake = threading.Event()
        self._stopping = False
        self._mover: threading.Thread | None = None

    def committed(self) -> int:
        """A commit is in the log: its number, for ``sync``. Called by one thread at a time."""
        self._commits += 1
        if self._commits - self._moved >= MOVED_AFTER:
            self._move_soon()
        return self._commits

    def sync(self, commit: int) -> None:
        """Return when that commit is on disk. Raises StoreUnavailable: it may not be.

        Threads that wait meanwhile are served together by the next one.
        """
        with self._syncing:
            if self._synced >= commit:
                return
            so_far = self._commits
            try:
                self._write_out()
            except (OSError, sqlite3.Error) as error:
                self._in_doubt = True
                kind = type(error).__name__
                raise StoreUnavailable(f"the disk refused: {kind}") from error
            self._synced = so_far

    def close(self) -> None:
        """End the thread. What is in the log stays there."""
        self._stopping = True
        self._wake.set()
        if self._mover is not None:
            self._mover.join()

    def _write_out(self) -> None:
        if self._in_doubt:
            # What a disk refused once the system no longer knows to be unwritten: asking again
            # would be told that all is well. So everything is written anew, into the database.
            self._move_all()
            self._in_doubt = False
        # Opened each time: a second descriptor of this file is harmless, an old one is not.
        descriptor = os.open(self._log, os.O_RDWR)
        try:
            _to_disk(descriptor)
        finally:
            os.close(descriptor)

    def _move_all(self) -> None:
        with closing(self._connect()) as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("somebody still reads the log")

    def _move_soon(self) -> None:
        self._moved = self._commits
        if self._mover is None:
            self._mover = threading.Thread(target=self._move, name="countersign-wal", daemon=True)
            self._mover.start()
        self._wake.set()

    def _move(self) -> None:
        with closing(self._connect()) as connection:
            while True:
                self._wake.wait()
                self._wake.clear()
                if self._stopping:
                    return
                # Busy: another process is at it. A disk that refuses is met by the next sync.
                with suppress(sqlite3.Error):
                    _move_unhurried(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._database, isolation_level=None)
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection


def _move_unhurried(connection: sqlite3.Connection) -> None:
    """Keeps no writer waiting, and so may leave what came meanwhile."""
    for _ in range(_ROUNDS):
        _, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if moved == pages:
            return
