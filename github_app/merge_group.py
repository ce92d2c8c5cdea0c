"""Which pull requests a merge group holds. A group that cannot be traced is not let through.

GitHub tells the group's commit, its base and a branch name, but no list: the queue's entries are
chained, each built on the one before (github-platform section 2.6).
"""

import re
from dataclasses import dataclass

from github_app.gateway import repository as gateway
from github_app.gateway.client import Installation
from github_app.gateway.commit import check_on
from github_app.gateway.repository import MergeGroup
from github_app.judge.errors import CountersignError
from github_app.judge.facts import CheckRun, Repository
from github_app.judgement import Subject
from github_app.store.task import Task

# Only the prefix is documented; base names hold slashes, so the end is what is matched.
_REF = re.compile(
    r"refs/heads/gh-readonly-queue/(?P<base>.+)/pr-(?P<number>\d{1,9})-[0-9a-f]{6,64}"
)


class GroupUnknown(CountersignError):
    """The merge queue does not know the group: GitHub lags, or the group was dissolved."""

    advice = "Take the pull request out of the queue and put it in again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A pull request in the group, and the head it was queued with."""

    number: int
    head_oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The group built as ``head_oid``. ``traced`` False: it may hold more than ``members``."""

    repository: Repository
    head_oid: str
    members: tuple[Member, ...]
    traced: bool

    def subject(self, number: int) -> Subject:
        return Subject(
            repository_id=self.repository.id,
            owner=self.repository.owner,
            name=self.repository.name,
            number=number,
        )

    def standing(
        self, installation: Installation, *, app_id: int, check_name: str
    ) -> CheckRun | None:
        """Our check run on the group's commit, if there is one."""
        return check_on(
            installation, self.repository, self.head_oid, app_id=app_id, check_name=check_name
        )


def trace_group(installation: Installation, task: Task) -> Group:
    """The pull requests between the group's base and its head.

    Raises: GroupUnknown when the queue has no such group (yet, or any more); GitHubError.
    """
    owner, _, name = task.full_name.partition("/")
    repository = Repository(id=task.repository_id, owner=owner, name=name)
    branch = _branch(task)
    if branch is None:
        raise GroupUnknown("the merge group names no branch")
    entries = gateway.merge_queue(
        installation, owner, name, branch, repository_id=task.repository_id
    )
    by_head = {entry.head_oid: entry for entry in entries if entry.head_oid}
    if task.subject not in by_head:
        raise GroupUnknown("the merge group is not in the queue")
    members, traced = _chain(by_head, task)
    if not members:
        raise GroupUnknown("the merge group names no pull request")
    return Group(repository=repository, head_oid=task.subject, members=members, traced=traced)


def _branch(task: Task) -> str | None:
    """The queue's branch, from what the event said."""
    base = task.hint.get("base_ref")
    if isinstance(base, str) and base:
        return base.removeprefix("refs/heads/")
    match = _REF.fullmatch(str(task.hint.get("head_ref") or ""))
    return match["base"] if match else None


def _chain(by_head: dict[str, MergeGroup], task: Task) -> tuple[tuple[Member, ...], bool]:
    """Follow each entry to the one it was built on, down to the first of the queue: that one was
    built on the branch itself. A chain that ends elsewhere has a hole."""
    members: list[Member] = []
    oid: str | None = task.subject
    seen: set[str] = set()
    traced = True
    first = min(entry.position for entry in by_head.values())
    entry = by_head[task.subject]
    while oid is not None and oid in by_head and oid not in seen:
        seen.add(oid)
        entry = by_head[oid]
        if entry.number is None or entry.pull_head_oid is None:
            traced = False
        else:
            members.append(Member(number=entry.number, head_oid=entry.pull_head_oid))
        oid = entry.base_oid
    match = _REF.fullmatch(str(task.hint.get("head_ref") or ""))
    if match is not None and int(match["number"]) not in {member.number for member in members}:
        traced = False
    return tuple(members), traced and bool(members) and entry.position == first
