"""One event that matters to many pull requests becomes work for each of them.

A head becomes the open pull requests that have it, a repository all its open ones, an installation
its repositories: one level at a time, so that a crash repeats little.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from github_app.gateway import repository as gateway
from github_app.gateway.client import Installation
from github_app.store.task import BULK, Task, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """How wide work is widened in this process: whose check runs it looks at."""

    app_id: int
    check_name: str

    def expand(self, installation: Installation, task: Task) -> Iterator[Task]:
        """The work that a wide task stands for. Raises: GitHubError."""
        match task.kind:
            case TaskKind.HEAD:
                yield from self._head(installation, task)
            case TaskKind.REPOSITORY:
                yield from self._repository(installation, task)
            case TaskKind.INSTALLATION:
                yield from self._installation(installation, task)
            case _:
                raise ValueError(f"{task.kind} is not wide")

    def _head(self, installation: Installation, task: Task) -> Iterator[Task]:
        owner, _, name = task.full_name.partition("/")
        found = gateway.pulls_with_head(
            installation, owner, name, task.subject, repository_id=task.repository_id
        )
        for pull in found:
            yield _pull(installation, task, pull.number, task.priority)

    def _repository(self, installation: Installation, task: Task) -> Iterator[Task]:
        owner, _, name = task.full_name.partition("/")
        found = gateway.open_pull_requests(
            installation,
            owner,
            name,
            repository_id=task.repository_id,
            check_name=self.check_name,
            app_id=self.app_id,
        )
        # The queue takes the newest request first: ask for the most recently active last.
        for pull in reversed(list(found)):
            yield _pull(installation, task, pull.number, BULK)

    def _installation(self, installation: Installation, _task: Task) -> Iterator[Task]:
        for repository in gateway.repositories(installation):
            yield Task(
                kind=TaskKind.REPOSITORY,
                installation_id=installation.id,
                repository_id=repository.id,
                full_name=repository.full_name,
                priority=BULK,
            )


def _pull(installation: Installation, task: Task, number: int, priority: int) -> Task:
    return Task(
        kind=TaskKind.PULL_REQUEST,
        installation_id=installation.id,
        repository_id=task.repository_id,
        subject=str(number),
        full_name=task.full_name,
        priority=priority,
    )
