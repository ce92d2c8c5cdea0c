"""Counts and gauges for /metrics, summed over all processes. Cheap: written once a second."""

import json
import threading
from collections.abc import Mapping

import structlog
from sqlalchemy import select

from github_app.store.engine import Database
from github_app.store.errors import StoreUnavailable
from github_app.store.statement import insert
from github_app.store.tables import counters
from github_app.store.text import canonical

FLUSH_SECONDS = 1.0

_Key = tuple[str, str]
_log = structlog.get_logger(__name__)


Series = tuple[str, tuple[tuple[str, str], ...]]  # a name and its labels, sorted


class Counters:
    """What is added is written by a thread within a second; a killed process loses that second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = database.dialect
        statement = insert(dialect, counters)
        new = statement.excluded.value
        key = ["name", "labels"]
        self._add = statement.on_conflict_do_update(
            index_elements=key, set_={"value": counters.c.value + new}
        )
        self._set = statement.on_conflict_do_update(index_elements=key, set_={"value": new})
        self._lock = threading.Lock()
        self._added: dict[_Key, float] = {}
        self._latest: dict[_Key, float] = {}
        self._flusher: threading.Thread | None = None
        self._pending = threading.Event()
        self._stop = threading.Event()

    def add(self, name: str, labels: Mapping[str, str] | None = None, amount: float = 1) -> None:
        """Count ``amount`` more. Never fails and never waits for the database."""
        key = (name, canonical(labels or {}))
        with self._lock:
            self._added[key] = self._added.get(key, 0) + amount
        self._flush_soon()

    def set(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """The latest value of a gauge, such as the requests that are left."""
        with self._lock:
            self._latest[name, canonical(labels)] = value
        self._flush_soon()

    def read(self) -> dict[Series, float]:
        """All series: the sum (of a gauge the latest value) over all processes.

        What this process added is in it. Raises StoreUnavailable.
        """
        self.flush()
        with self._database.read() as connection:
            rows = connection.execute(_READ).all()
        return {
            (row.name, tuple(sorted(json.loads(row.labels).items()))): row.value for row in rows
        }

    def flush(self) -> None:
        """Write what was added. Raises StoreUnavailable; then it is kept for the next time."""
        with self._lock:
            added, self._added = self._added, {}
            latest, self._latest = self._latest, {}
        if not added and not latest:
            return
        try:
            with self._database.write(durable=False) as connection:
                # Sorted: two processes that lock the same rows do it in the same order.
                for key in sorted(added.keys() | latest.keys()):
                    statement = self._add if key in added else self._set
                    value = added.get(key, latest.get(key))
                    row = {"name": key[0], "labels": key[1], "value": value}
                    connection.execute(statement, row)
        except StoreUnavailable:
            with self._lock:
                for key, amount in added.items():
                    self._added[key] = self._added.get(key, 0) + amount
                self._latest = latest | self._latest
            raise

    def close(self) -> None:
        self._stop.set()
        self._pending.set()
        if self._flusher is not None:
            self._flusher.join()
        self._flush_or_log()

    def _flush_soon(self) -> None:
        with self._lock:
            if self._flusher is None and not self._stop.is_set():
                self._flusher = threading.Thread(
                    target=self._flush_now_and_then, name="countersign-counters", daemon=True
                )
                self._flusher.start()
        self._pending.set()

    def _flush_now_and_then(self) -> None:
        while not self._stop.is_set():
            self._pending.wait()
            self._stop.wait(FLUSH_SECONDS)
            self._pending.clear()
            self._flush_or_log()

    def _flush_or_log(self) -> None:
        try:
            self.flush()
        except StoreUnavailable as error:
            _log.warning("store.counters_kept", error=str(error))


_READ = select(counters).order_by(counters.c.name, counters.c.labels)
