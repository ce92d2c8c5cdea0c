"""A quick look at one installation: did something happen there that no webhook told of?

A webhook can be lost without a trace. The sweep finds what it was about, but it is thorough and so
it is rare; a look costs one call of one point and is made every few seconds while something goes
on. It compares when each of the most recently active pull requests last changed with what its last
judgement saw, and the roster files with what the last look saw. It never judges: what it finds goes
through the queue. What it cannot see is the sweep's.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto

from github_app.expansion import MISSED, SURE, is_missed
from github_app.fetching import Fetcher
from github_app.gateway.client import GitHub, Installation
from github_app.gateway.recent import (
    PULLS,
    Recent,
    RecentPull,
    RecentRepository,
    recently_active,
)
from github_app.logs import get_logger
from github_app.store.database import Store
from github_app.store.looks import LookState, Pace
from github_app.store.stats import Known
from github_app.store.task import BULK, ORDINARY, Task, TaskKind

log = get_logger("look")

# At 5,000 points an hour a look every 10 seconds takes 7 % of them.
PACE = Pace(shortest=10.0, longest=60.0)
# The app itself, whose deliveries are looked at, has a look of its own.
THE_APP = 0
# A delivery that failed is in GitHub's list within this time.
DELIVERIES_MARGIN = timedelta(minutes=1)
# What may only have been missed (it changed in the very second of the last judgement) is judged
# once more where something was missed within this hour, as long as that takes no more of the hourly
# limit than this. The sweep does the rest.
CONFIRMING = 0.025
_JUDGEMENT_POINTS = 4
_HOUR = 3600.0
_LOSSES = "looks that found something"


class Activity:
    """The installations in which this process has just seen something happen; for its timer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._marked: set[int] = set()

    def mark(self, installation_id: int) -> None:
        with self._lock:
            self._marked |= {installation_id, THE_APP}

    def take(self) -> set[int]:
        """What was marked since the last time."""
        with self._lock:
            marked, self._marked = self._marked, set()
        return marked


def ask_for_looks(store: Store, activity: Activity) -> int:
    """Ask for the looks that are due in the whole fleet: how many. Raises: StoreError."""
    store.looks.active(activity.take(), PACE)
    due = store.looks.due(PACE)
    store.queue.add(
        Task(kind=TaskKind.LOOK, installation_id=number, priority=ORDINARY) for number in due
    )
    return len(due)


class Looker:
    """Has the looks that are due; whoever calls it holds the lease of the look's row."""

    def __init__(
        self,
        *,
        github: GitHub,
        store: Store,
        fetcher: Fetcher,
        activity: Activity,
        now: Callable[[], datetime],
    ) -> None:
        self._github = github
        self._store = store
        self._fetcher = fetcher
        self._activity = activity
        self._now = now

    def look(self, installation_id: int) -> int:
        """Look once, and ask for what was missed: how much it was. Raises: GitHubError, StoreError.

        A ``THE_APP`` look takes in the deliveries that failed.
        """
        if installation_id == THE_APP:
            found = self._fetcher.fetch(margin=DELIVERIES_MARGIN)
        else:
            found = self._look_around(installation_id)
        if found:
            self._activity.mark(installation_id)
            self._store.spending.take(installation_id, _LOSSES, 1, most=1, window=_HOUR)
            log.info("looked", installation=installation_id, found=found)
        self._store.counters.add("looks", {"result": "missed" if found else "nothing"})
        return found

    def _look_around(self, installation_id: int) -> int:
        state = self._store.looks.state(installation_id)
        if state is None:
            return 0
        covered = self._store.queue.covered(installation_id, MISSED)
        rosters = dict(state.rosters or {})
        wanted: list[Task] = []
        cursor = None
        for page in _pages(self._github.installation(installation_id), state):
            here = [one for one in page.repositories if one.id in covered]
            wanted += _changed_rosters(installation_id, page, here, state)
            wanted += self._missed(installation_id, here)
            rosters |= _rosters(page, here)
            cursor = page.following
        self._store.queue.add(wanted)
        rosters = {where: blob for where, blob in rosters.items() if blob}
        if (cursor, rosters) != (state.cursor, state.rosters):
            self._store.looks.saw(installation_id, cursor, rosters)
        return len(wanted)

    def _missed(self, installation_id: int, repositories: Iterable[RecentRepository]) -> list[Task]:
        """The pull requests that changed since they were judged, the most recently active last:
        the queue takes the newest request first."""
        listed = [
            (repository, pull, _task(installation_id, repository, TaskKind.PULL_REQUEST, pull))
            for repository in repositories
            for pull in repository.pulls
        ]
        known = self._store.queue.known([task for _, _, task in listed])
        changed: list[Task] = []
        unsure: list[Task] = []
        moved: Counter[RecentRepository] = Counter()
        for repository, pull, task in reversed(listed):
            match _urgency(pull.updated_at, known.get(task.key), self._now()):
                case None:
                    continue
                case Urgency.CHANGED:
                    changed.append(task)
                    moved[repository] += 1
                case Urgency.UNSURE:
                    unsure.append(replace(task, priority=BULK))
        whole = [
            _task(installation_id, repository, TaskKind.REPOSITORY)
            for repository, many in moved.items()
            if many == PULLS  # there may be more
        ]
        return self._within_budget(installation_id, unsure) + whole + changed

    def _within_budget(self, installation_id: int, unsure: list[Task]) -> list[Task]:
        if not unsure or not self._loses(installation_id):
            return []
        rate = self._github.rate(installation_id)
        if rate is None:
            return unsure
        most = int(rate.limit * CONFIRMING / _JUDGEMENT_POINTS)
        granted = self._store.spending.take(
            installation_id, "confirming", len(unsure), most=most, window=_HOUR
        )
        return unsure[len(unsure) - granted :]

    def _loses(self, installation_id: int) -> bool:
        """Whether webhooks were lost lately: then two in one second may have been, too."""
        return any(
            self._store.spending.wait(number, _LOSSES, most=1, window=_HOUR) > 0
            for number in (THE_APP, installation_id)
        )


class Urgency(Enum):
    """Why a pull request is to be judged again."""

    CHANGED = auto()
    UNSURE = auto()  # something may have happened in the very second that was judged last


def _urgency(updated_at: datetime, known: Known | None, now: datetime) -> Urgency | None:
    """What waits already is left to itself: asking again would wake work that failed too often."""
    if known is not None and (known.waits or not known.noted):
        return None
    if not is_missed(updated_at, known):
        return None
    if known is None or known.seen is None or known.seen.updated_at < updated_at:
        return Urgency.CHANGED
    over = (now - updated_at).total_seconds() >= SURE
    return Urgency.UNSURE if over else None


def _pages(installation: Installation, state: LookState) -> Iterator[Recent]:
    """Where something was pushed last, always; and the rest in turn, one page a look."""
    first = recently_active(installation, state.account)
    if first.following is None:
        yield first
        return
    yield first
    yield recently_active(installation, state.account, after=state.cursor or first.following)


def _rosters(page: Recent, repositories: Iterable[RecentRepository]) -> dict[str, str]:
    """Where a roster may lie, and the blob that lies there."""
    return {**page.rosters, **{str(one.id): one.roster for one in repositories}}


def _changed_rosters(
    installation_id: int, page: Recent, repositories: Iterable[RecentRepository], last: LookState
) -> Iterator[Task]:
    """What the push to a roster would have asked for."""
    before = last.rosters
    if before is None:
        return
    if any(before.get(name, "") != blob for name, blob in page.rosters.items()):
        yield Task(kind=TaskKind.INSTALLATION, installation_id=installation_id, priority=BULK)
    for one in repositories:
        if before.get(str(one.id), "") != one.roster:
            yield _task(installation_id, one, TaskKind.REPOSITORY, subject="")


def _task(
    installation_id: int,
    repository: RecentRepository,
    kind: TaskKind,
    pull: RecentPull | None = None,
    *,
    subject: str = MISSED,
    priority: int = ORDINARY,
) -> Task:
    return Task(
        kind=kind,
        installation_id=installation_id,
        repository_id=repository.id,
        subject=subject if pull is None else str(pull.number),
        full_name=repository.full_name,
        priority=priority,
        # The time goes along, so that a reading that is older than what was seen here is made anew.
        hint={}
        if pull is None
        else {"head_sha": pull.head_oid, "updated_at": pull.updated_at.isoformat()},
    )
