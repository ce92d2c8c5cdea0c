"""Short ways to make what the store's tests are about."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import text

from github_app.store.claim import Claim
from github_app.store.database import Store
from github_app.store.inbox import Delivery, Receipt
from github_app.store.task import HintValue, Task, TaskKind

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    """Lets time pass without waiting: on SQLite by the injected clock; on PostgreSQL, whose clock
    is its own, by moving everything that is stored into the past."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._passed = 0.0
        self.stores: list[Store] = []

    def time(self) -> float:
        return time.time() + self._passed

    def advance(self, seconds: float) -> None:
        if self._dialect == "sqlite":
            self._passed += seconds
            return
        with self.stores[0]._database.write() as connection:
            for table, columns in _TIMES.items():
                moved = ", ".join(f"{column} = {column} - :seconds" for column in columns)
                connection.execute(text(f"UPDATE {table} SET {moved}"), {"seconds": seconds})


_TIMES = {
    "tasks": ("requested_at", "waiting_since", "due_at", "claimed_at", "parked_at"),
    "deliveries": ("received_at", "processed_at"),
    "installations": ("blocked_until", "served_at", "bulk_after"),
    "undelivered": ("again_at", "lost_at"),
    "looks": ("due_at", "active_at"),
    "spending": ("began_at",),
    "team_lists": ("read_at",),
    "written_checks": ("written_at",),
}


def a_task(
    subject: str | int = 1,
    *,
    installation: int = 1,
    repository: int = 10,
    kind: TaskKind = TaskKind.PULL_REQUEST,
    priority: int = 5,
    hint: Mapping[str, HintValue] | None = None,
) -> Task:
    return Task(
        kind=kind,
        installation_id=installation,
        repository_id=repository,
        subject=str(subject),
        full_name="acme/shop",
        priority=priority,
        hint=hint or {},
    )


def a_delivery(guid: str = "guid-1", *, body: bytes = b"{}") -> Delivery:
    return Delivery(
        guid=guid,
        event="pull_request",
        action="opened",
        installation_id=1,
        body=body,
        received_at=NOON,
    )


def put(store: Store, guid: str, *tasks: Task) -> Receipt:
    return store.inbox.put(a_delivery(guid), tasks or (a_task(),))


def claimed(store: Store, worker: str = "worker-1") -> Claim:
    claim = store.queue.claim(worker)
    assert claim is not None
    return claim


def subjects(store: Store) -> list[str]:
    """What is claimed, in order, until there is no more."""
    order = []
    while (claim := store.queue.claim("worker-1")) is not None:
        order.append(claim.task.subject)
    return order
