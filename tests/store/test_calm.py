"""A storm of events on one pull request costs a few judgements, and the first comes at once."""

from github_app.store.claim import Limits
from github_app.store.database import Store
from tests.store.build import Clock, a_task, claimed, put
from tests.store.conftest import OpenStore

CALM = 100.0  # longer than the test takes; the clock is moved instead of waiting


def calm_store(open_another: OpenStore) -> Store:
    return open_another(Limits(calm=CALM, lease=10_000.0))


def test_first_event_is_claimed_at_once(open_another: OpenStore) -> None:
    store = calm_store(open_another)
    put(store, "guid-1")
    assert claimed(store).deliveries == ("guid-1",)


def test_event_after_a_judgement_waits_until_it_is_calm(
    open_another: OpenStore, clock: Clock
) -> None:
    store = calm_store(open_another)
    put(store, "guid-1")
    assert store.queue.settle(claimed(store))
    put(store, "guid-2")
    assert store.queue.claim("worker-1") is None
    clock.advance(CALM)
    assert claimed(store).deliveries == ("guid-2",)


def test_events_during_a_judgement_are_one_more_and_it_waits(
    open_another: OpenStore, clock: Clock
) -> None:
    store = calm_store(open_another)
    put(store, "guid-1")
    first = claimed(store)
    put(store, "guid-2")
    put(store, "guid-3")
    assert store.queue.settle(first)
    assert store.queue.claim("worker-1") is None
    clock.advance(CALM)
    assert set(claimed(store).deliveries) == {"guid-2", "guid-3"}
    assert store.queue.claim("worker-1") is None


def test_calm_is_counted_from_the_claim(open_another: OpenStore, clock: Clock) -> None:
    store = calm_store(open_another)
    put(store, "guid-1")
    first = claimed(store)
    clock.advance(CALM)
    assert store.queue.settle(first)
    put(store, "guid-2")
    assert claimed(store).deliveries == ("guid-2",)


def test_another_pull_request_is_not_kept_waiting(open_another: OpenStore) -> None:
    store = calm_store(open_another)
    put(store, "guid-1", a_task(1))
    assert store.queue.settle(claimed(store))
    put(store, "guid-2", a_task(2))
    assert claimed(store).task.subject == "2"
