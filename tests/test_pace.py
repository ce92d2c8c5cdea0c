"""Bulk work keeps to its share of GitHub's limits, and stands back where it may be too much."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from github_app.gateway.client import GitHub, Rate
from github_app.pace import HOUR, MANY_WRITES, MINUTE, STANDS_BACK, WRITES, BulkPace, wrote
from github_app.store.database import Store, open_store
from github_app.store.task import BULK, ORDINARY, Task, TaskKind

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = NOON.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/test.db", clock=lambda: clock.seconds) as opened:
        yield opened


def a_task(*, priority: int = BULK, installation: int = 1, subject: str = "7") -> Task:
    return Task(
        kind=TaskKind.PULL_REQUEST,
        installation_id=installation,
        repository_id=77,
        subject=subject,
        priority=priority,
    )


def a_pace(store: Store, *, remaining: int | None = None) -> BulkPace:
    left = None
    if remaining is not None:
        left = Rate(limit=5000, remaining=remaining, reset=NOON + timedelta(seconds=90))
    github = Mock(spec=GitHub)
    github.rate.return_value = left
    return BulkPace(github=github, store=store, now=lambda: NOON)


def write(store: Store, times: int, *, priority: int = BULK) -> None:
    for _ in range(times):
        wrote(store, a_task(priority=priority))


@pytest.mark.parametrize(
    ("remaining", "seconds"),
    [
        pytest.param(999, 90.0, id="kept-for-events-until-the-reset"),
        pytest.param(1000, 0.0, id="enough-is-left"),
        pytest.param(None, 0.0, id="nothing-is-known"),
    ],
)
def test_part_of_the_hourly_limit_is_kept(
    store: Store, remaining: int | None, seconds: float
) -> None:
    assert a_pace(store, remaining=remaining).wait(a_task()) == seconds


def test_bulk_writes_are_paced(store: Store, clock: Clock) -> None:
    pace = a_pace(store)
    write(store, WRITES - 1)
    assert pace.wait(a_task()) == 0
    write(store, 1)
    assert 0 < pace.wait(a_task()) <= MINUTE
    clock.seconds += MINUTE
    assert pace.wait(a_task()) == 0


def test_what_people_wait_for_is_neither_paced_nor_counted(store: Store) -> None:
    pace = a_pace(store)
    write(store, WRITES * 2, priority=ORDINARY)
    assert pace.wait(a_task()) == 0
    write(store, WRITES)
    assert pace.wait(a_task(priority=ORDINARY)) == 0


def test_one_noisy_organisation_paces_nobody_else(store: Store) -> None:
    write(store, WRITES)
    assert a_pace(store).wait(a_task(installation=2)) == 0


def claimed(store: Store) -> list[str]:
    found = []
    while (claim := store.queue.claim("worker-1")) is not None:
        found.append(claim.task.subject)
    return found


def test_refused_after_many_bulk_writes_they_stand_back(store: Store, clock: Clock) -> None:
    store.queue.add([a_task(subject="bulk"), a_task(subject="live", priority=ORDINARY)])
    write(store, MANY_WRITES)
    a_pace(store).refused(a_task(), 60)
    assert claimed(store) == ["live"]
    clock.seconds += 60 + STANDS_BACK
    assert "bulk" in claimed(store)


@pytest.mark.parametrize(
    ("writes", "later"),
    [
        pytest.param(MANY_WRITES - 1, 0.0, id="there-were-few"),
        pytest.param(MANY_WRITES, HOUR, id="they-were-long-ago"),
    ],
)
def test_refused_for_another_reason_bulk_work_goes_on(
    store: Store, clock: Clock, writes: int, later: float
) -> None:
    store.queue.add([a_task(subject="bulk")])
    write(store, writes)
    clock.seconds += later
    a_pace(store).refused(a_task(), 60)
    assert claimed(store) == ["bulk"]
