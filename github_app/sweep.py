"""What was missed: deliveries that never arrived, open pull requests without a current check.

It only asks for work, and asking twice costs nothing: any process may sweep at any time. Whatever
it finds goes through the same queue as a webhook, behind it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from github_app.expansion import MISSED
from github_app.gateway import app as the_app
from github_app.gateway import repository as gateway
from github_app.gateway.app import Delivered
from github_app.gateway.client import GitHub
from github_app.gateway.errors import GitHubError
from github_app.logs import get_logger
from github_app.store.database import Store
from github_app.store.errors import StoreError
from github_app.store.task import BULK, Task, TaskKind

log = get_logger("sweep")

EVERY = 300.0
# GitHub offers deliveries again for three days (Enterprise Server: seven).
REDELIVERABLE = timedelta(days=3)
MOST_REDELIVERED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep asked for. ``problems``: one sentence for each part that failed."""

    redelivered: int
    repositories: int
    problems: tuple[str, ...] = ()


class Sweeper:
    """Sweeps at start and on a timer."""

    def __init__(self, *, github: GitHub, store: Store, every: float = EVERY) -> None:
        self._github = github
        self._store = store
        self._every = every
        self._next = 0.0

    def run_when_due(self, stop: threading.Event) -> None:
        """Wait for the timer, sweep, and set it again. Returns at once when ``stop`` is set."""
        if stop.wait(max(self._next - time.monotonic(), 0.0)):
            return
        self._next = time.monotonic() + self._every
        try:
            self.sweep()
        except StoreError as error:
            log.error("sweep", reason=str(error), advice=error.advice)

    def sweep(self) -> Swept:
        """Look once for everything that was missed. Raises: StoreError."""
        problems: list[str] = []
        redelivered = self._attempt(self._redeliver, problems)
        repositories = self._attempt(self._ask_repositories, problems)
        self._store.inbox.prune()
        swept = Swept(redelivered=redelivered, repositories=repositories, problems=tuple(problems))
        log.info("swept", redelivered=redelivered, repositories=repositories, problems=problems)
        result = "failed" if problems else "done"
        self._store.counters.add("sweeps", {"result": result})
        return swept

    def _attempt(self, part: Callable[[], int], problems: list[str]) -> int:
        try:
            return part()
        except GitHubError as error:
            problems.append(str(error))
            return 0

    def _redeliver(self) -> int:
        """Ask GitHub to send again what never arrived, or what it thinks arrived and did not."""
        app = self._github.app()
        since = datetime.now().astimezone() - REDELIVERABLE
        attempts: dict[str, list[Delivered]] = {}
        for delivered in the_app.deliveries(app):
            if delivered.delivered_at < since:
                break
            attempts.setdefault(delivered.guid, []).append(delivered)
        known = self._store.inbox.knows(list(attempts))
        missing = [tries for guid, tries in attempts.items() if guid not in known]
        for tries in missing[:MOST_REDELIVERED]:
            the_app.redeliver(app, tries[0].id)
        return len(missing[:MOST_REDELIVERED])

    def _ask_repositories(self) -> int:
        """Have every repository of every installation looked through."""
        found = 0
        for installed in the_app.installations(self._github.app()):
            if installed.suspended:
                continue
            installation = self._github.installation(installed.id)
            tasks = [
                Task(
                    kind=TaskKind.REPOSITORY,
                    installation_id=installed.id,
                    repository_id=repository.id,
                    subject=MISSED,
                    full_name=repository.full_name,
                    priority=BULK,
                )
                for repository in gateway.repositories(installation)
            ]
            self._store.queue.add(tasks)
            found += len(tasks)
        return found
