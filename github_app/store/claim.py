"""A lease on work, and the limits it is given under. Pure values, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from github_app.store.task import HintValue, Task, TaskKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds and counts. ``first_delay`` doubles up to ``longest_delay``, with jitter.

    A row is claimed again ``calm`` after its last claim at the earliest, however many events come.
    A row is parked after ``failures`` failures in a row that are its own, or ``crashes`` leases in
    a row that ran out; or after ``stuck`` failures of GitHub's, where GitHub works for others
    meanwhile. Parked work wakes with its next event, or after ``parked`` (``slow`` where it is
    GitHub that fails).
    """

    lease: float = 10.0
    calm: float = 0.0
    first_delay: float = 0.5
    longest_delay: float = 10.0
    failures: int = 12
    crashes: int = 8
    parked: float = 900.0
    stuck: int = 20
    slow: float = 300.0


class Blame(Enum):
    """Whose fault it is that work could not be done."""

    WORK = auto()  # it would fail again: parked before long
    GITHUB = auto()  # it may work soon; parked if GitHub works for others all the while
    NOBODY = auto()  # it has to wait, and is never parked for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the snapshot of a pull request said of its age: GitHub's ``updatedAt``.

    ``surely``: it was taken so long after that second that nothing else can have happened in it.
    """

    updated_at: datetime
    surely: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One leased row. ``generation`` is what had been asked for when it was leased.

    ``deliveries`` are the webhooks behind it, newest first, at most 1,000. Times are Unix seconds
    by the database's clock: ``waiting_since`` is the oldest unanswered request,
    ``requested_at`` the newest.
    """

    row: int
    task: Task
    generation: int
    attempts: int
    waiting_since: float
    requested_at: float
    deliveries: tuple[str, ...]
    seen: Seen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A lease on one or more rows; the first is what was claimed, the others share its fate.

    ``token`` fences: whoever takes a row over has another one, and this claim is then worth
    nothing. ``lease_until`` is as of the claim; ``renew`` extends it in the database only.
    """

    worker: str
    token: str
    lease_until: float
    rows: tuple[Held, ...]

    def having_seen(self, found: Mapping[str, Seen]) -> "Claim":
        """The same claim, with what the judgement saw, by subject: ``settle`` writes it down."""
        rows = tuple(replace(row, seen=found.get(row.task.subject, row.seen)) for row in self.rows)
        return replace(self, rows=rows)

    @property
    def task(self) -> Task:
        return self.rows[0].task

    @property
    def key(self) -> TaskKey:
        return self.task.key

    @property
    def hint(self) -> Mapping[str, HintValue]:
        return self.task.hint

    @property
    def generation(self) -> int:
        return self.rows[0].generation

    @property
    def attempts(self) -> int:
        return self.rows[0].attempts

    @property
    def requested_at(self) -> float:
        return self.rows[0].requested_at

    @property
    def waiting_since(self) -> float:
        return self.rows[0].waiting_since

    @property
    def deliveries(self) -> tuple[str, ...]:
        """Of all rows, each once."""
        return tuple(dict.fromkeys(guid for held in self.rows for guid in held.deliveries))
