"""What was missed: deliveries that never arrived, open pull requests without a current check.

It only asks for work, and asking twice costs nothing. The timer of every process asks for a sweep;
the queue makes one of them, and one worker of the whole fleet does it. Whatever it finds goes
through the same queue as a webhook, behind it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from github_app.expansion import MISSED
from github_app.fetching import Fetcher
from github_app.gateway import app as the_app
from github_app.gateway import repository as gateway
from github_app.gateway.client import GitHub, Installation
from github_app.gateway.errors import GitHubError
from github_app.logs import get_logger
from github_app.look import THE_APP, Activity, ask_for_looks
from github_app.settings import SWEEP_EVERY
from github_app.store.database import Store
from github_app.store.errors import StoreError
from github_app.store.task import BULK, Task, TaskKind
from github_app.teams import Teams

log = get_logger("sweep")

# A sweep of which a part failed is made again so soon, then ever more rarely. Seconds.
AGAIN = 2.0
# How often is asked whether a quick look is due: one small read of the database.
TICK = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep asked for. ``problems``: one sentence for each part that failed."""

    fetched: int
    repositories: int
    problems: tuple[str, ...] = ()


class Timer:
    """Asks for a sweep at start and every so often, unless another process just did, and for the
    quick looks that are due."""

    def __init__(
        self, store: Store, *, every: float = SWEEP_EVERY, activity: Activity | None = None
    ) -> None:
        self._store = store
        self._every = every
        self._activity = activity or Activity()
        self._next = 0.0

    def run_when_due(self, stop: threading.Event) -> None:
        """Wait for the time, ask, and set it again. Returns at once when ``stop`` is set."""
        if stop.wait(TICK if self._next else 0.0):
            return
        first, due = not self._next, time.monotonic() >= self._next
        try:
            if due:
                self._next = time.monotonic() + self._every
                self._ask(at_start=first)
            ask_for_looks(self._store, self._activity)
        except StoreError as error:
            log.error("sweep", reason=str(error), advice=error.advice)

    def _ask(self, *, at_start: bool) -> None:
        last = self._store.queue.asked(TaskKind.SWEEP, 0).get("")
        if at_start or last is None or self._store.now() - last.asked_at > self._every * 0.9:
            self._store.queue.add([Task(kind=TaskKind.SWEEP, installation_id=0, priority=BULK)])


class Sweeper:
    """Looks for what was missed. Whoever calls it sees to it that nobody else does meanwhile."""

    def __init__(
        self,
        *,
        github: GitHub,
        store: Store,
        fetcher: Fetcher,
        teams: Teams,
        protection_every: float,
    ) -> None:
        self._github = github
        self._store = store
        self._fetcher = fetcher
        self._teams = teams
        self._protection_every = protection_every

    def sweep(self) -> Swept:
        """Look once for everything that was missed. Raises: StoreError."""
        problems: list[str] = []
        fetched = self._attempt(self._fetcher.fetch, problems)
        repositories = self._attempt(lambda: self._ask_repositories(problems), problems)
        self._attempt(self._ask_protection, problems)
        self._store.inbox.prune()
        self._store.checks.prune()
        self._store.undelivered.prune()
        swept = Swept(fetched=fetched, repositories=repositories, problems=tuple(problems))
        log.info("swept", fetched=fetched, repositories=repositories, problems=problems)
        result = "failed" if problems else "done"
        self._store.counters.add("sweeps", {"result": result})
        return swept

    def again_in(self, failures: int) -> float:
        """Seconds until a sweep that failed so often in a row is made once more."""
        return float(min(AGAIN * 2.0 ** min(failures, 30), SWEEP_EVERY))

    def _attempt(self, part: Callable[[], int], problems: list[str]) -> int:
        try:
            return part()
        except GitHubError as error:
            problems.append(str(error))
            return 0

    def _ask_protection(self) -> int:
        """Have every installation looked at whose last look is long ago, also those that went."""
        asked, now = self._store.queue.asked(TaskKind.DOCTOR, 0), self._store.now()
        known = {one.id for one in the_app.installations(self._github.app())}
        known |= self._store.protections.installations()
        due = [
            Task(kind=TaskKind.DOCTOR, installation_id=number, subject=str(number), priority=BULK)
            for number in sorted(known)
            if str(number) not in asked
            or now - asked[str(number)].asked_at >= self._protection_every
        ]
        self._store.queue.add(due)
        return len(due)

    def _ask_repositories(self, problems: list[str]) -> int:
        """Have every repository of every installation looked through; what one of them cannot give
        holds up no other."""
        found = 0
        every = list(the_app.installations(self._github.app()))
        awake = {one.id: one.account for one in every if not one.suspended}
        self._store.looks.know({**awake, THE_APP: ""})
        for installed in every:
            if installed.suspended:
                # Nothing that was judged before counts once it is unsuspended: no event comes now.
                self._store.grounds.changed(installed.id)
                continue
            installation = self._github.installation(installed.id)
            found += self._attempt(partial(self._ask_one, installation), problems)
        return found

    def _ask_one(self, installation: Installation) -> int:
        self._teams.look_again(installation)
        tasks = [
            Task(
                kind=TaskKind.REPOSITORY,
                installation_id=installation.id,
                repository_id=repository.id,
                subject=MISSED,
                full_name=repository.full_name,
                priority=BULK,
            )
            for repository in gateway.repositories(installation)
        ]
        self._store.queue.add(tasks)
        return len(tasks)
