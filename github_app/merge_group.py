"""Which pull requests a merge group holds. A group that cannot be traced is not let through.

GitHub tells the group's commit, its base and a branch name, but no list: the queue's entries are
chained, each built on the one before (github-platform section 2.6).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from github_app.gateway import repository as gateway
from github_app.gateway.client import Installation
from github_app.gateway.commit import check_on
from github_app.gateway.repository import MergeGroup
from github_app.judge.errors import CountersignError
from github_app.judge.facts import CheckRun, Repository
from github_app.judge.outcome import Verdict
from github_app.judgement import Subject
from github_app.store.task import PERSON_WAITS, Task, TaskKind

# Only the prefix is documented; base names hold slashes, so the end is what is matched.
_REF = re.compile(
    r"refs/heads/gh-readonly-queue/(?P<base>.+)/pr-(?P<number>\d{1,9})-[0-9a-f]{6,64}"
)


class GroupUnknown(CountersignError):
    """The merge queue does not know the group: GitHub lags, or the group was dissolved."""

    advice = "Take the pull request out of the queue and put it in again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A pull request in the group, and the head it was queued with.

    ``group_oid``: the commit of the queue's own group for it, built on those ahead of it.
    """

    number: int
    head_oid: str
    group_oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The group built as ``head_oid``. ``traced`` False: it may hold more than ``members``.

    ``members``: the pull request that the group was built for, then those ahead of it, the first
    of the queue last. ``behind``: the commits of the groups that were built on this one.
    """

    repository: Repository
    branch: str
    head_oid: str
    members: tuple[Member, ...]
    behind: tuple[str, ...]
    traced: bool

    def task(self, like: Task, oid: str) -> Task:
        """What asks for another group of the same queue."""
        return group_task(like, oid, self.branch)

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
    position = by_head[task.subject].position
    if any(_is_hidden(entry) and entry.position < position for entry in entries):
        raise GroupUnknown("one ahead in the merge queue has no commit: the group may hold it")
    return Group(
        repository=repository,
        branch=branch,
        head_oid=task.subject,
        members=members,
        behind=tuple(oid for oid, entry in by_head.items() if entry.position > position),
        traced=traced,
    )


def group_task(like: Task, head_oid: str, branch: str) -> Task:
    """What asks for the group whose head is this commit, in a repository that ``like`` names."""
    return Task(
        kind=TaskKind.MERGE_GROUP,
        installation_id=like.installation_id,
        repository_id=like.repository_id,
        subject=head_oid,
        full_name=like.full_name,
        priority=PERSON_WAITS,
        hint={"base_ref": branch},
    )


def blocking(found: Sequence[Verdict]) -> Verdict | None:
    """The first of the queue that may not be merged, where the group's own pull request may.

    ``found`` is in the order of ``Group.members``. GitHub drops the pull request whose group
    fails. So a failure must be published for the one that is to blame, and not for those that were
    only queued behind it.
    """
    own, *ahead = found
    if not _passes(own):
        return None
    return next((verdict for verdict in reversed(ahead) if not _passes(verdict)), None)


def _passes(verdict: Verdict) -> bool:
    return verdict.outcome.green or verdict.observing


def _is_hidden(entry: MergeGroup) -> bool:
    """It has no commit, and GitHub does not say that it leaves it out of those behind it."""
    return entry.head_oid is None and entry.state != "UNMERGEABLE"


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
            members.append(Member(number=entry.number, head_oid=entry.pull_head_oid, group_oid=oid))
        oid = entry.base_oid
    match = _REF.fullmatch(str(task.hint.get("head_ref") or ""))
    if match is not None and int(match["number"]) not in {member.number for member in members}:
        traced = False
    return tuple(members), traced and bool(members) and entry.position == first
