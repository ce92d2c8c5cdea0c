"""Bulk work of an installation can be held, and only that."""

from github_app.store.database import Store
from github_app.store.stats import WorkState
from github_app.store.task import BULK, ORDINARY
from tests.store.build import Clock, a_task, subjects


def test_bulk_work_waits_and_the_rest_goes_on(store: Store, clock: Clock) -> None:
    store.queue.add([a_task("bulk", priority=BULK), a_task("live", priority=ORDINARY)])
    store.queue.hold_bulk(1, 60)
    assert subjects(store) == ["live"]
    clock.advance(61)
    assert "bulk" in subjects(store)


def test_bulk_work_of_others_goes_on(store: Store) -> None:
    store.queue.add([a_task("held", priority=BULK)])
    store.queue.add([a_task("free", installation=2, priority=BULK)])
    store.queue.hold_bulk(1, 60)
    assert subjects(store) == ["free"]


def test_hold_is_never_shortened(store: Store, clock: Clock) -> None:
    store.queue.add([a_task("bulk", priority=BULK)])
    store.queue.hold_bulk(1, 60)
    store.queue.hold_bulk(1, 1)
    clock.advance(30)
    assert subjects(store) == []


def test_what_is_held_can_be_seen(store: Store) -> None:
    store.queue.add([a_task("bulk", priority=BULK), a_task("live", priority=ORDINARY)])
    store.queue.hold_bulk(1, 60)
    states = {work.key.subject: work.state for work in store.queue.listing()}
    assert states == {"bulk": WorkState.HELD, "live": WorkState.READY}


def test_what_is_held_is_not_late(store: Store, clock: Clock) -> None:
    """Else the service would say that it is not ready while it keeps to GitHub's limits."""
    store.queue.add([a_task("bulk", priority=BULK)])
    clock.advance(1000)
    assert store.queue.stats().oldest_age > 900
    store.queue.hold_bulk(1, 60)
    assert store.queue.stats().oldest_age == 0


def test_whoever_waits_for_work_sleeps_until_the_hold_ends(store: Store) -> None:
    store.queue.add([a_task("bulk", priority=BULK)])
    store.queue.hold_bulk(1, 60)
    assert store.queue.claim("worker-1") is None
    assert 50 < store.queue._next_due_in(None) <= 60


def test_whoever_waits_for_work_wakes_for_what_is_not_held(store: Store) -> None:
    store.queue.add([a_task("bulk", priority=BULK), a_task("live", priority=ORDINARY)])
    store.queue.hold_bulk(1, 60)
    claim = store.queue.claim("worker-1")
    assert claim is not None
    store.queue.retry(claim, "later", delay=20)
    assert 15 < store.queue._next_due_in(None) < 40
