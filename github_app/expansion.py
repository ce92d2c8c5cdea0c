"""One event that matters to many pull requests becomes work for each of them.

A head becomes the open pull requests that have it, a repository all its open ones, an installation
its repositories: one level at a time, so that a crash repeats little.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from github_app.gateway import repository as gateway
from github_app.gateway.client import Installation
from github_app.gateway.repository import OpenPullRequest, RosterIds, Tip
from github_app.judge.facts import PullRequest
from github_app.rosters import RosterDesk
from github_app.store.claim import Seen
from github_app.store.grounds import NO_HEAD, Ground, Grounds
from github_app.store.memory import Memories
from github_app.store.queue import Queue
from github_app.store.stats import Known
from github_app.store.task import BULK, ORDINARY, Task, TaskKind

# The subject of a repository's row when only what was missed is looked for.
MISSED = "missed"
# GitHub's times are whole seconds: a snapshot taken so soon after the last change may have missed
# another one within the same second, so it is taken once more. Clocks may differ a little. Seconds.
SURE = 3.0
# The same where only the moment is known at which the judgement was asked for.
MARGIN = 10.0


def seen(pull: PullRequest) -> Seen:
    """What a judgement of this snapshot writes down, for sweeps to compare."""
    age = (pull.taken_at - pull.updated_at).total_seconds()
    return Seen(updated_at=pull.updated_at, surely=age >= SURE)


def is_missed(updated_at: datetime, known: Known | None) -> bool:
    """Whether a pull request that GitHub shows with this ``updatedAt`` is to be judged again."""
    if known is None:
        return True
    if not known.noted:
        return updated_at.timestamp() + MARGIN > known.asked_at
    return (
        known.seen is None
        or known.seen.updated_at < updated_at
        or (known.seen.updated_at == updated_at and not known.seen.surely)
    )


class Expansion:
    """How wide work is widened in this process: whose check runs it looks at, by what rosters."""

    def __init__(
        self,
        *,
        queue: Queue,
        grounds: Grounds,
        memory: Memories,
        rosters: RosterDesk,
        app_id: int,
        check_name: str,
    ) -> None:
        self._queue = queue
        self._grounds = grounds
        self._memory = memory
        self._rosters = rosters
        self._app_id = app_id
        self._check_name = check_name

    def expand(self, installation: Installation, task: Task) -> Iterator[Task]:
        """The work that a wide task stands for. Raises: GitHubError."""
        match task.kind:
            case TaskKind.HEAD:
                yield from self._head(installation, task)
            case TaskKind.REPOSITORY:
                yield from self._repository(installation, task)
            case TaskKind.INSTALLATION:
                yield from self._installation(installation)
            case _:
                raise ValueError(f"{task.kind} is not wide")

    def _head(self, installation: Installation, task: Task) -> Iterator[Task]:
        owner, _, name = task.full_name.partition("/")
        found = gateway.pulls_with_head(
            installation, owner, name, task.subject, repository_id=task.repository_id
        )
        for pull in found:
            yield _pull(installation, task, pull.number, task.priority, task.subject)

    def _repository(self, installation: Installation, task: Task) -> Iterator[Task]:
        owner, _, name = task.full_name.partition("/")
        tips: list[Tip] = []
        found = gateway.open_pull_requests(
            installation,
            owner,
            name,
            repository_id=task.repository_id,
            check_name=self._check_name,
            app_id=self._app_id,
            on_tip=tips.append,
        )
        if task.subject == MISSED:
            wanted = list(self._missed(installation, task, found))
        else:
            wanted = [(pull, _haste(pull)) for pull in found]
        # The queue takes the newest request first: ask for the most recently active last.
        for pull, priority in reversed(wanted):
            yield _pull(installation, task, pull.number, priority, pull.head_oid)
        for tip in tips if task.subject == MISSED else ():
            yield from self._landed(task, tip)

    def _landed(self, task: Task, tip: Tip) -> Iterator[Task]:
        """What came to the default branch and no webhook told of: whatever was merged or pushed
        since the last push that we know of."""
        if self._memory.knows_push(task.repository_id, tip.branch, tip.oid):
            return
        before = self._memory.last_push(task.repository_id, tip.branch)
        yield Task(
            kind=TaskKind.PUSH,
            installation_id=task.installation_id,
            repository_id=task.repository_id,
            subject=f"{tip.branch}:{tip.oid}",
            full_name=task.full_name,
            priority=BULK,
            hint={"before": before or "", "default_branch": tip.branch, "swept": True},
        )

    def _missed(
        self, installation: Installation, task: Task, found: Iterable[OpenPullRequest]
    ) -> Iterator[tuple[OpenPullRequest, int]]:
        """Those of which something was missed, each with how urgent it is.

        What was asked for already is not asked for again only because it rests on something else:
        that would wake work that has failed too often.
        """
        asked = self._queue.asked(TaskKind.PULL_REQUEST, task.repository_id)
        known = self._grounds.of(task.repository_id)
        gone = set(known)
        owner = task.full_name.partition("/")[0]
        grounds: dict[RosterIds, str] = {}
        for pull in found:
            gone.discard(pull.number)
            kept, last = known.get(pull.number), asked.get(str(pull.number))
            if pull.rosters not in grounds:
                grounds[pull.rosters] = self._rosters.ground(installation.id, owner, pull.rosters)
            if not _is_judged(pull, kept) or is_missed(pull.updated_at, last):
                yield pull, _haste(pull)
            elif _is_settled(last) and self._is_outdated(pull, kept, grounds[pull.rosters]):
                yield pull, BULK
        self._grounds.forget(task.repository_id, gone)

    def _is_outdated(self, pull: OpenPullRequest, kept: Ground | None, ground: str) -> bool:
        """Whether it was judged by something else than it would be now, or time has changed it."""
        if kept is None or kept.digest != ground or kept.head_oid != _head(pull):
            return True
        return kept.again_at is not None and kept.again_at <= self._queue.now()

    def _installation(self, installation: Installation) -> Iterator[Task]:
        for repository in gateway.repositories(installation):
            yield Task(
                kind=TaskKind.REPOSITORY,
                installation_id=installation.id,
                repository_id=repository.id,
                full_name=repository.full_name,
                priority=BULK,
            )


def _haste(pull: OpenPullRequest) -> int:
    """A green that may have to go does not wait for the limit to fill up again."""
    green = pull.check is not None and pull.check.conclusion == "SUCCESS"
    return ORDINARY if green else BULK


def _is_judged(pull: OpenPullRequest, kept: Ground | None) -> bool:
    """Whether its check is finished. Where GitHub lists no commits there is no check to be seen."""
    if not pull.head_shown:
        return kept is not None and kept.head_oid == NO_HEAD
    return pull.check is not None and pull.check.status == "COMPLETED"


def _head(pull: OpenPullRequest) -> str:
    return pull.head_oid if pull.head_shown else NO_HEAD


def _is_settled(known: Known | None) -> bool:
    return known is None or not known.waits


def _pull(
    installation: Installation, task: Task, number: int, priority: int, head_oid: str
) -> Task:
    """``head_oid`` goes along, so that a judgement that fails can say so on the commit."""
    return Task(
        kind=TaskKind.PULL_REQUEST,
        installation_id=installation.id,
        repository_id=task.repository_id,
        subject=str(number),
        full_name=task.full_name,
        priority=priority,
        hint={"head_sha": head_oid},
    )
