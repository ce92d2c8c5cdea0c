"""One event that matters to many pull requests becomes work for each of them.

A head becomes the open pull requests that have it, a repository all its open ones, an installation
its repositories: one level at a time, so that a crash repeats little.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from github_app.gateway import repository as gateway
from github_app.gateway.client import Installation
from github_app.gateway.repository import OpenPullRequest
from github_app.judge.facts import PullRequest
from github_app.store.claim import Seen
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
    return known.seen is None or not known.seen.surely or known.seen.updated_at != updated_at


class Expansion:
    """How wide work is widened in this process: whose check runs it looks at."""

    def __init__(self, *, queue: Queue, app_id: int, check_name: str) -> None:
        self._queue = queue
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
        found = gateway.open_pull_requests(
            installation,
            owner,
            name,
            repository_id=task.repository_id,
            check_name=self._check_name,
            app_id=self._app_id,
        )
        wanted = list(self._missed(task, found) if task.subject == MISSED else found)
        # The queue takes the newest request first: ask for the most recently active last.
        for pull in reversed(wanted):
            # A green that may have to go does not wait for the limit to fill up again.
            green = pull.check is not None and pull.check.conclusion == "SUCCESS"
            priority = ORDINARY if green else BULK
            yield _pull(installation, task, pull.number, priority, pull.head_oid)

    def _missed(self, task: Task, found: Iterable[OpenPullRequest]) -> Iterator[OpenPullRequest]:
        """Those whose check is missing, or older than what happened since it was judged."""
        asked = self._queue.asked(TaskKind.PULL_REQUEST, task.repository_id)
        for pull in found:
            judged = pull.check is not None and pull.check.status == "COMPLETED"
            if not judged or is_missed(pull.updated_at, asked.get(str(pull.number))):
                yield pull

    def _installation(self, installation: Installation) -> Iterator[Task]:
        for repository in gateway.repositories(installation):
            yield Task(
                kind=TaskKind.REPOSITORY,
                installation_id=installation.id,
                repository_id=repository.id,
                full_name=repository.full_name,
                priority=BULK,
            )


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
