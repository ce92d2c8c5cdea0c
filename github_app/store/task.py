"""What there is to do: one task is one thing to look at again. Pure values, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PERSON_WAITS = 0
ORDINARY = 5
BULK = 9

HintValue = str | int | bool | None

_INT64 = 2**63


class TaskKind(StrEnum):
    """What ``Task.subject`` names. The values are stored: never rename or reuse one."""

    PULL_REQUEST = "pull-request"  # its number
    HEAD = "head"  # a commit id: every open pull request with that head
    REPOSITORY = "repository"  # empty: every open pull request of the repository
    INSTALLATION = "installation"  # empty: every repository of the installation
    MERGE_GROUP = "merge-group"  # the commit id of the group's head
    PUSH = "push"  # ``branch:commit id``: did what reached the branch pass the gate?
    MERGED = "merged"  # number of a pull request that was merged: had it passed, as it was?
    SWEEP = "sweep"  # empty: everything that was missed, everywhere
    LOOK = "look"  # empty: a glance at an installation; without one: at the deliveries that failed
    DOCTOR = "doctor"  # empty: are the repository's rules still in place?


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskKey:
    """The identity of a task. Ids are numeric: names change hands."""

    kind: TaskKind
    installation_id: int
    repository_id: int
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Look at this again.

    ``repository_id`` is 0 where the kind has none. ``full_name`` is a hint, the latest name heard
    of. ``priority``: 0 a person waits, 5 ordinary, 9 bulk; lower goes first. ``hint`` is small
    flat JSON out of the payload; of two events the hint with the later ``updated_at`` (text of
    the payload, ISO 8601) is kept, so that a late event does not replace newer news. A hint
    is never a fact: one that is too large to store (8 kB) is dropped.
    Raises ValueError on an id that is not a 64-bit integer and on a priority outside 0 to 9.
    """

    kind: TaskKind
    installation_id: int
    repository_id: int = 0
    subject: str = ""
    full_name: str = ""
    priority: int = ORDINARY
    hint: Mapping[str, HintValue] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not PERSON_WAITS <= self.priority <= BULK:
            raise ValueError(f"priority {self.priority} is not within 0 to 9")
        for name in ("installation_id", "repository_id"):
            if not 0 <= getattr(self, name) < _INT64:
                raise ValueError(f"{name} is not a 64-bit id")

    @property
    def key(self) -> TaskKey:
        return TaskKey(
            kind=self.kind,
            installation_id=self.installation_id,
            repository_id=self.repository_id,
            subject=self.subject,
        )
