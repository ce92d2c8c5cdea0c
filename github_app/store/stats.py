"""What the queue looks like from outside: for /metrics, /readyz and ``countersign work``."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from github_app.store.claim import Seen
from github_app.store.task import TaskKey, TaskKind


class WorkState(StrEnum):
    READY = "ready"
    LEASED = "leased"
    WAITING = "waiting"  # backs off after a failure
    BLOCKED = "blocked"  # its installation is out of requests
    HELD = "held"  # bulk work that goes no faster, for the sake of events that people wait for
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
class Known:
    """What is known of one subject, whether or not anything is to do.

    ``asked_at``: when it was last asked for, Unix seconds. ``waits``: it is asked for, and nobody
    is at it. ``seen``: what its last judgement saw; None: there was none, or (where ``noted`` is
    False) it was made by a version that did not write it down.
    """

    asked_at: float
    waits: bool
    noted: bool
    seen: Seen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """``counts`` are rows that are not settled. Ages are seconds, 0 where there is nothing.

    ``oldest_age`` is that of the oldest work that is neither parked nor held.
    """

    counts: Mapping[tuple[TaskKind, WorkState], int]
    oldest_age: float
    blocked_installations: int
    unprocessed_deliveries: int
    oldest_delivery_age: float

    @property
    def pending(self) -> int:
        """All that nobody works on and that is not parked."""
        return sum(self.counts.values()) - self.leased - self.parked

    @property
    def leased(self) -> int:
        return self.count(WorkState.LEASED)

    @property
    def parked(self) -> int:
        return self.count(WorkState.PARKED)

    def count(self, state: WorkState) -> int:
        return sum(count for (_, its), count in self.counts.items() if its is state)

    def by_kind(self) -> Mapping[TaskKind, int]:
        kinds = {kind for kind, _ in self.counts}
        return {
            kind: sum(count for (its, _), count in self.counts.items() if its is kind)
            for kind in sorted(kinds)
        }
