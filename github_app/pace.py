"""How fast bulk work may go: never so fast that an event that a person waits for finds GitHub shut.

GitHub has limits of two kinds for each installation. Of the hourly points a part is kept for live
events. Of the writes it allows "no more than 80 content-generating requests per minute and 500 per
hour", without saying whether a check run is one: bulk work takes its share of the first, and if
GitHub refuses all the same after many bulk writes, it stands back for a while.
"""

from collections.abc import Callable
from datetime import datetime

from github_app.gateway.client import GitHub
from github_app.logs import get_logger
from github_app.store.database import Store
from github_app.store.task import BULK, Task

log = get_logger("pace")

# The part of the hourly limit that sweeps, looks and roster changes leave to live events.
RESERVED = 0.2
# Of GitHub's 80 writes a minute. Seconds.
WRITES = 60
MINUTE = 60.0
# So many bulk writes within an hour may be why GitHub refuses; then bulk work rests. Seconds.
MANY_WRITES = 300
HOUR = 3600.0
STANDS_BACK = 600.0


class BulkPace:
    """The pace of one process; what is counted is counted for the fleet."""

    def __init__(self, *, github: GitHub, store: Store, now: Callable[[], datetime]) -> None:
        self._github = github
        self._store = store
        self._now = now

    def wait(self, task: Task) -> float:
        """Seconds until work that nobody waits for may go on in this installation; 0: now."""
        rate = self._github.rate(task.installation_id)
        if rate is not None and rate.remaining < rate.limit * RESERVED:
            return max((rate.reset - self._now()).total_seconds(), 1.0)
        if task.priority < BULK:
            return 0.0
        return self._store.spending.wait(
            task.installation_id, "writes a minute", most=WRITES, window=MINUTE
        )

    def refused(self, task: Task, seconds: float) -> None:
        """GitHub refused anything for so long: if bulk writes may be the cause, they stand back."""
        wait = self._store.spending.wait(
            task.installation_id, "writes an hour", most=MANY_WRITES, window=HOUR
        )
        if wait > 0:
            log.warning("bulk work stands back", installation=task.installation_id)
            self._store.queue.hold_bulk(task.installation_id, seconds + STANDS_BACK)


def wrote(store: Store, task: Task) -> None:
    """Count a check run that was written, if it was bulk work."""
    if task.priority < BULK:
        return
    for purpose, most, window in (
        ("writes a minute", WRITES, MINUTE),
        ("writes an hour", MANY_WRITES, HOUR),
    ):
        store.spending.take(task.installation_id, purpose, 1, most=most, window=window)
