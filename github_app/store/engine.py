"""One database, SQLite or PostgreSQL: connections, transactions, and when they are durable."""

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from github_app.store.clock import SQLITE_FUNCTION, now
from github_app.store.errors import StoreError, StoreUnavailable
from github_app.store.wal import KEPT, LOCK_SECONDS, WriteAheadLog, become_writer

Clock = Callable[[], float]
_Result = TypeVar("_Result")

# GitHub gives up on a webhook after 10 s. A client that froze inside a transaction is cut off
# first (IDLE), so that whoever waits for its locks still gets them within LOCK.
IDLE_IN_TRANSACTION_SECONDS = 4
OLDEST_SQLITE = (3, 35, 0)  # RETURNING
READERS = 8


class Database:
    """Transactions on one database; made by ``open_database``.

    SQLite: WAL; a durable transaction is fsynced before it returns, by ``wal.py`` and not inside
    the commit (``synchronous=NORMAL``), where all writers would wait for the disk; one writer at a
    time in this process, because SQLite's own waiting is unfair. Must be opened after a fork,
    never before. PostgreSQL: READ COMMITTED, ``synchronous_commit`` at least ``on``.
    """

    def __init__(self, url: URL, clock: Clock) -> None:
        self.url = url
        self.dialect = url.get_backend_name()
        self.is_sqlite = self.dialect == "sqlite"
        self._writing = threading.Lock()
        self._jobs: deque[_Job[Any]] = deque()
        if self.is_sqlite:
            self._log = WriteAheadLog(Path(url.database or ""))
            self._readers = _sqlite_engine(url, clock, size=READERS)
            self._writers = _sqlite_engine(url, clock, size=1)
            event.listen(self._writers, "begin", _begin_immediate)
            self._reading = _AtHand(self._readers, READERS)
            self._writer = _AtHand(self._writers, 1)
        else:
            self._readers = self._writers = _postgresql_engine(url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view on SQLite; on PostgreSQL each statement sees what is committed."""
        begun = self._reading.begin() if self.is_sqlite else self._readers.begin()
        with _translated(), begun as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction: all of it or nothing, committed on leaving.

        Not ``durable``: survives the death of this process, not a power cut of the machine
        (SQLite only; it saves the fsync). For what may be lost without harm, such as a lease.
        Raises StoreUnavailable; then nothing was changed, or, where it is the disk that refuses,
        it may have been but is not promised to last.
        """
        if not self.is_sqlite:
            with _translated(), self._writers.begin() as connection:
                yield connection
            return
        with self._writing:
            with self._write_alone() as connection:
                yield connection
            commit = self._log.committed()
        if durable:
            self._log.sync(commit)

    def together(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do ``work`` in a durable transaction, on SQLite shared with threads that wait for theirs.

        One fsync then serves them all. Each has its own outcome, and returns after the commit.
        ``work`` is done twice, the first time undone, when another of the same transaction fails:
        it must do nothing but use the connection, and open no transaction itself.
        """
        if not self.is_sqlite:
            with self.write() as connection:
                return work(connection)
        job = _Job(work)
        self._jobs.append(job)
        with self._writing:
            if not job.done:  # else whoever had the lock before has done it along with its own
                self._do_jobs()
        outcome = job.outcome()
        self._log.sync(job.commit)
        return outcome

    def now(self) -> float:
        """Unix time in seconds by the clock that the store goes by."""
        with self.read() as connection:
            return float(connection.execute(select(now())).scalar_one())

    def close(self) -> None:
        if self.is_sqlite:
            self._log.close()
            self._reading.close()
            self._writer.close()
        self._readers.dispose()
        self._writers.dispose()

    @contextmanager
    def _write_alone(self) -> Iterator[Connection]:
        with _translated(), self._writer.begin() as connection:
            yield connection

    def _do_jobs(self) -> None:
        jobs = [self._jobs.popleft() for _ in range(len(self._jobs))]
        try:
            if not self._done_together(jobs):
                for job in jobs:
                    self._done_together([job])
        finally:
            for job in jobs:
                job.done = True

    def _done_together(self, jobs: "list[_Job[Any]]") -> bool:
        """Whether every job has its outcome: False if one of several failed, which undid all."""
        working = False
        try:
            with self._write_alone() as connection:
                working = True
                for job in jobs:
                    job.do(connection)
                working = False
            problem = None
        except Exception as error:  # noqa: BLE001 - raised in the thread whose work it was
            if working and len(jobs) > 1:
                return False
            problem = error
        commit = 0 if problem else self._log.committed()
        for job in jobs:
            job.error, job.commit = problem, commit
        return True


class _AtHand:
    """Connections to SQLite that are kept, at most ``most``: taking one out of the pool, and having
    it reset on its return, costs more than the transactions that are run on it."""

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._most = most
        self._idle: deque[Connection] = deque()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._engine.connect()
        try:
            with connection.begin():
                yield connection
        except BaseException:
            connection.close()  # what failed is not kept
            raise
        if len(self._idle) < self._most:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class _Job(Generic[_Result]):
    """A thread's part of a shared transaction."""

    def __init__(self, work: Callable[[Connection], _Result]) -> None:
        self._work = work
        self._result: _Result | None = None
        # Until it is committed it is not.
        self.error: Exception | None = StoreUnavailable("the transaction was interrupted")
        self.commit = 0
        self.done = False

    def do(self, connection: Connection) -> None:
        with _translated():
            self._result = self._work(connection)

    def outcome(self) -> _Result:
        if self.error is not None:
            raise self.error
        return cast("_Result", self._result)


def open_database(url: str, *, clock: Clock = time.time) -> Database:
    """Connect to ``url``: ``sqlite:///relative.db``, ``sqlite:////absolute.db``,
    ``postgresql://...`` or ``postgres://...``.

    ``clock`` (Unix seconds) is used on SQLite only. Raises StoreError on a URL that names neither,
    or names a memory or a file that cannot be shared; StoreUnavailable if it does not answer.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        _create_private(Path(parsed.database or ""))
    database = Database(parsed, clock)
    try:
        database.now()
    except BaseException:
        database.close()
        raise
    return database


def parse_url(url: str) -> URL:
    """The URL with its driver. No error text holds any part of ``url``: it may hold a password."""
    if url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise StoreError("DATABASE_URL is not a URL") from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return _checked_sqlite(parsed)
        case "postgresql" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
    raise StoreError("DATABASE_URL names neither sqlite:// nor postgresql://")


def _checked_sqlite(url: URL) -> URL:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StoreError("DATABASE_URL must name a file: sqlite:///countersign.db")
    return url


def _create_private(path: Path) -> None:
    """Create the file readable by its owner only; SQLite gives its side files the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"the database file cannot be opened: {error.strerror}") from error


def _sqlite_engine(url: URL, clock: Clock, *, size: int) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # a statement's values are what others wrote
        pool_size=size,
        max_overflow=-1,
        connect_args={"timeout": 0 if size == 1 else LOCK_SECONDS, "check_same_thread": False},
    )

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.create_function(SQLITE_FUNCTION, 0, clock)
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "wal_autocheckpoint=0",  # wal.py moves the log
            f"journal_size_limit={KEPT}",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)
    if size > 1:
        event.listen(engine, "begin", _begin_deferred)
    return engine


def _begin_deferred(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("BEGIN")


def _begin_immediate(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    become_writer(driver)


def _postgresql_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=READERS,
        max_overflow=READERS,
        pool_timeout=LOCK_SECONDS,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "application_name": "countersign",
        },
    )
    event.listen(engine, "connect", _prepare_session)
    return engine


def _prepare_session(connection: Any, _record: object) -> None:  # noqa: ANN401 - psycopg's
    connection.autocommit = True
    connection.execute(
        f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_SECONDS}s';"
        f"SET lock_timeout = '{LOCK_SECONDS}s';"
        # Each statement is asked in less than a millisecond; compiling one takes a hundred.
        "SET jit = off;"
        # A server may be set to answer before it has written; 202 would then be a lie.
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') IN ('off', 'local')"
    )
    connection.autocommit = False


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the database refused: {type(error).__name__}") from error
    except DBAPIError as error:
        kind = type(error.orig).__name__ if error.orig else type(error).__name__
        raise StoreUnavailable(f"the database refused: {kind}") from error
    except PoolTimeout as error:
        raise StoreUnavailable("all connections to the database are busy") from error
