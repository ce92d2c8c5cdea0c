"""A second process beside the one of ``inline``: the same database, and nothing else in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from github_app import services
from github_app.leases import LeaseKeeper
from github_app.store.database import Store, open_store
from github_app.worker import Worker
from tests.e2e.inline import Inline


@contextmanager
def another_process(case: Inline) -> Iterator[Worker]:
    """A worker with a store, a GitHub client and caches of its own."""

    def opened(url: str, **_limits: object) -> Store:
        return open_store(url, limits=case.parts.store.queue.limits, clock=case.clock.seconds)

    with patch.multiple(services, open_store=opened, utc_now=case.clock.moment):
        parts = services.build(case.parts.settings)
        try:
            yield services.worker(parts, LeaseKeeper(parts.store.queue), 1)
        finally:
            parts.close()
