"""What the queue looks like from outside: for /metrics, /readyz and ``countersign work``."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from github_app.store.task import TaskKey, TaskKind


class WorkState(StrEnum):
    READY = "ready"
    LEASED = "leased"
    WAITING = "waiting"  # backs off after a failure
    BLOCKED = "blocked"  # its installation is out of requests
    PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A row that is not settled, for people to see. Ages and delays are seconds."""

    key: TaskKey
    full_name: str
    state: WorkState
    priority: int
    age: float
    due_in: float
    attempts: int
    crashes: int
    worker: str | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """``pending`` counts rows by kind and state. ``oldest_age``: seconds, of what is not parked."""

    pending: Mapping[tuple[TaskKind, WorkState], int]
    oldest_age: float
    blocked_installations: int
    unprocessed_deliveries: int
    oldest_delivery_age: float

    @property
    def depth(self) -> int:
        return sum(self.pending.values())

    def count(self, state: WorkState) -> int:
        return sum(count for (_, its), count in self.pending.items() if its is state)
