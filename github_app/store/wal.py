"""SQLite's write-ahead log: on disk when that is asked for, and moved into the database meanwhile.

SQLite would do both inside a commit, while every other writer waits. A commit with
``synchronous=NORMAL`` only hands its pages to the system; ``sync`` then makes the log reach the
disk, for all that committed before it. That is as durable: the log is read back as far as it is
whole, SQLite syncs it before it moves anything out of it, and the database before it reuses it.

Only who holds the place of the writer moves the log. SQLite itself asks for that of some ways to
move it and not of others, and before 3.51.3 a commit that begins the log anew beside one of those
can damage the database: https://www.sqlite.org/wal.html#walresetbug
"""

import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from github_app.store.errors import StoreUnavailable

# After so many commits the log is moved into the database; about as many pages as SQLite waits for.
MOVED_AFTER = 250
# After so many that it was not, it is moved by whoever commits: writers are faster than the mover.
MOVED_AT_LAST = 16 * MOVED_AFTER
# A few large commits fill it too. Once begun anew it is cut to KEPT; when it has grown by LARGE it
# is moved, by LARGE_AT_LAST by whoever commits. KEPT is less than LARGE, else it would never stop
# being moved; and more than many small commits fill, which find their place ready. Bytes.
KEPT = 8 << 20
LARGE = 2 * KEPT
LARGE_AT_LAST = 4 * LARGE
# To look costs 2 µs, a small commit 70: so only after so many commits.
LOOKED_EVERY = 4
# So long somebody else may be the writer. Seconds.
LOCK_SECONDS = 8

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
        self._size = 0  # of the log when it was last moved, if it is not cut since
        self._wake = threading.Event()
        self._stopping = False
        self._mover: threading.Thread | None = None

    def committed(self) -> int:
        """A commit is in the log: its number, for ``sync``. Called by one thread at a time.

        Errors: none. What is committed is, also where the log cannot be moved.
        """
        self._commits += 1
        waiting = self._commits - self._moved
        grown = self._growth() if self._commits % LOOKED_EVERY == 0 else 0
        if waiting >= MOVED_AT_LAST or grown >= LARGE_AT_LAST:
            self._move_now()
        elif waiting >= MOVED_AFTER or grown >= LARGE:
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
        self._log_to_disk()

    def _move_all(self) -> None:
        """This way to move it is one for which SQLite makes itself the writer."""
        with closing(self._connect(timeout=LOCK_SECONDS)) as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("somebody still reads the log")

    def _growth(self) -> int:
        """By how many bytes the log's file grew since it was last moved."""
        size = self._log_size()
        if size < self._size:
            self._size = 0  # begun anew and cut
        return size - self._size

    def _log_size(self) -> int:
        try:
            return os.stat(self._log).st_size  # noqa: PTH116 - the faster one, and commits wait
        except OSError:
            return 0

    def _move_soon(self) -> None:
        if self._mover is None:
            mover = threading.Thread(target=self._move, name="countersign-wal", daemon=True)
            try:
                mover.start()
            except RuntimeError:
                return  # no thread is to be had; the next commit asks again
            self._mover = mover
        self._wake.set()

    def _move(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stopping:
                return
            if self._commits - self._moved >= MOVED_AFTER or self._growth() >= LARGE:
                self._move_alone()

    def _move_now(self) -> None:
        self._moved, self._size = self._commits, self._log_size()  # tried, even where it fails
        self._move_alone()

    def _move_alone(self) -> None:
        """Move it while ``gate`` keeps every writer out. SQLite does not let a connection move the
        log inside a transaction of its own, so it takes two. Where it cannot be moved now, it is
        tried again with a later commit."""
        with suppress(StoreUnavailable):
            self.sync(self._commits)  # most of what there is to wait for, while others still write
        with (
            suppress(sqlite3.Error),
            closing(self._connect()) as gate,
            closing(self._connect()) as connection,
            _as_writer(gate),
        ):
            so_far, size = self._commits, self._log_size()
            try:
                move(connection)
            except sqlite3.Error as error:
                if _may_have_written(error):
                    self._in_doubt = True  # told of it once, as here, the next sync would not be
                raise
            self._moved, self._size = so_far, size

    def _log_to_disk(self) -> None:
        # Opened each time: a second descriptor of this file is harmless, an old one is not.
        descriptor = os.open(self._log, os.O_RDWR)
        try:
            _to_disk(descriptor)
        finally:
            os.close(descriptor)

    def _connect(self, timeout: float = 0) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._database, isolation_level=None, timeout=timeout, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        return connection


def move(connection: sqlite3.Connection) -> None:
    """Bring what is in the log into the database. Only while nobody can write."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def become_writer(connection: sqlite3.Connection) -> None:
    """BEGIN IMMEDIATE. Other processes hold that place for a millisecond each, so ask often.

    SQLite's own waiting sleeps longer every time, up to 100 ms, and is overtaken meanwhile.
    Raises sqlite3.OperationalError after ``LOCK_SECONDS``.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.0005, 0.0015))  # noqa: S311 - to spread, not to hide
        else:
            return


@contextmanager
def _as_writer(connection: sqlite3.Connection) -> Iterator[None]:
    become_writer(connection)
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def _may_have_written(error: sqlite3.Error) -> bool:
    """Neither who has to wait nor who gets no file to open has written anything."""
    return not _is_busy(error) and error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # less what sort of busy it is
