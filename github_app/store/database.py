"""The store: everything that Countersign keeps, on one SQLite file or one PostgreSQL database."""

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from github_app.store.audit import Audit
from github_app.store.checks import WrittenChecks
from github_app.store.claim import Limits
from github_app.store.counters import Counters
from github_app.store.engine import Clock, Database, open_database, parse_url
from github_app.store.errors import StoreError
from github_app.store.grounds import Grounds
from github_app.store.inbox import Inbox
from github_app.store.looks import Looks
from github_app.store.memory import Memories
from github_app.store.migrate import migrate
from github_app.store.names import RepositoryNames
from github_app.store.protections import Protections
from github_app.store.queue import Queue
from github_app.store.rosters import Rosters
from github_app.store.spending import Spending
from github_app.store.undelivered import UndeliveredList
from github_app.store.wake import Waker


class Store:
    """The rooms of the store, on one database. Threads may share it; a forked child may not."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._waker = Waker(database)
        self.audit = Audit(database)
        self.queue = Queue(database, self._waker, self.audit, limits)
        self.memory = Memories(database)
        self.grounds = Grounds(database)
        self.names = RepositoryNames(database)
        self.inbox = Inbox(database, self.queue, self.memory, self.grounds, self.names)
        self.undelivered = UndeliveredList(database)
        self.looks = Looks(database)
        self.rosters = Rosters(database)
        self.checks = WrittenChecks(database)
        self.spending = Spending(database)
        self.protections = Protections(database, self.audit)
        self.counters = Counters(database)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._database.dialect

    def now(self) -> float:
        """Unix time by the store's clock. Asks the database: StoreUnavailable if it is down."""
        return self._database.now()

    def ping(self) -> None:
        """Raises StoreUnavailable unless the database answers."""
        self._database.now()

    def close(self) -> None:
        """End the threads, write the last counts, close every connection."""
        self._waker.close()
        self.counters.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_existing(url: str) -> Store:
    """``open_store`` for readers: raises StoreError rather than create a database file."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise StoreError("there is no database at that path")
    return open_store(url)


def open_store(url: str, *, limits: Limits | None = None, clock: Clock = time.time) -> Store:
    """Connect, create or update the tables, and give the store. Open it after a fork.

    ``url``: ``sqlite:///file.db`` or ``postgresql://...`` (``postgres://`` too). ``clock`` is for
    tests, on SQLite only. Raises StoreError (a wrong URL), StoreUnavailable (no answer).
    """
    database = open_database(url, clock=clock)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return Store(database, limits or Limits())
