"""Deliveries: kept until they are processed, recognised when they come again, never swallowed."""

from dataclasses import replace

import pytest

from github_app.store.database import Store
from github_app.store.inbox import Receipt
from github_app.store.text import clean
from tests.store.build import Clock, a_delivery, a_task, claimed, put
from tests.store.conftest import OpenStore

DAY = 86_400


def test_body_is_kept_until_the_work_is_done(store: Store) -> None:
    body = bytes(range(256)) * 40
    assert store.inbox.put(a_delivery("guid-1", body=body), [a_task()]) is Receipt.STORED
    waiting = store.inbox.get("guid-1")
    assert waiting is not None
    assert (waiting.body, waiting.processed) == (body, False)
    assert store.queue.settle(claimed(store))
    done = store.inbox.get("guid-1")
    assert done is not None
    assert (done.body, done.processed) == (None, True)


def test_stored_delivery_is_seen_by_others_at_once(store: Store, open_another: OpenStore) -> None:
    other = open_another()
    put(store, "guid-1")
    assert other.inbox.get("guid-1") is not None
    assert claimed(other).deliveries == ("guid-1",)


def test_repeat_of_processed_delivery_is_no_work(store: Store) -> None:
    put(store, "guid-1")
    assert store.queue.settle(claimed(store))
    assert put(store, "guid-1") is Receipt.REPEAT
    assert store.queue.claim("worker-1") is None


def test_repeat_of_waiting_delivery_is_one_piece_of_work(store: Store) -> None:
    put(store, "guid-1")
    assert put(store, "guid-1") is Receipt.REPEAT
    claim = claimed(store)
    assert claim.deliveries == ("guid-1",)
    assert store.queue.settle(claim)
    assert store.queue.claim("worker-1") is None
    done = store.inbox.get("guid-1")
    assert done is not None
    assert done.processed


def test_repeat_while_it_is_judged_is_judged_again(store: Store) -> None:
    put(store, "guid-1")
    claim = claimed(store)
    put(store, "guid-1")
    assert store.queue.settle(claim)
    waiting = store.inbox.get("guid-1")
    assert waiting is not None
    assert not waiting.processed
    assert claimed(store).deliveries == ("guid-1",)


def test_repeat_wakes_parked_work(store: Store, clock: Clock) -> None:
    put(store, "guid-1")
    for _ in range(store.queue.limits.failures):
        assert store.queue.retry(claimed(store), "KeyError")
        clock.advance(store.queue.limits.longest_delay)
    assert store.queue.stats().parked == 1
    put(store, "guid-1")
    assert claimed(store).deliveries == ("guid-1",)


def test_delivery_is_processed_when_all_its_work_is(store: Store) -> None:
    put(store, "guid-1", a_task(1), a_task(2))
    assert store.queue.settle(claimed(store))
    half = store.inbox.get("guid-1")
    assert half is not None
    assert not half.processed
    assert store.queue.settle(claimed(store))
    done = store.inbox.get("guid-1")
    assert done is not None
    assert done.processed


def test_delivery_without_work_is_processed_at_once(store: Store) -> None:
    assert store.inbox.put(a_delivery("guid-1"), []) is Receipt.STORED
    done = store.inbox.get("guid-1")
    assert done is not None
    assert (done.processed, done.body) == (True, None)
    assert store.inbox.put(a_delivery("guid-1"), []) is Receipt.REPEAT


def test_work_named_twice_in_a_delivery_is_one_row(store: Store) -> None:
    put(store, "guid-1", a_task(1), a_task(1))
    claim = claimed(store)
    assert store.queue.settle(claim)
    assert store.queue.stats().unprocessed_deliveries == 0


def test_unknown_guid_is_none(store: Store) -> None:
    assert store.inbox.get("never-sent") is None


def test_known_guids_are_told_from_missed_ones(store: Store) -> None:
    put(store, "guid-1")
    store.inbox.put(a_delivery("guid-2"), [])
    asked = [f"guid-{number}" for number in range(2_500)]
    assert store.inbox.knows(asked) == {"guid-1", "guid-2"}
    assert store.inbox.knows([]) == set()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a\x00b", id="nul"),
        pytest.param("a\ud800b", id="lone-surrogate"),
        pytest.param("'; DROP TABLE tasks; --", id="sql"),
        pytest.param("%s {} :name \\", id="placeholders"),
        pytest.param("é𝄞\u202e", id="beyond-ascii"),
    ],
)
def test_text_of_others_is_stored_whatever_it_is(store: Store, text: str) -> None:
    task = replace(a_task(text), full_name=text, hint={"x": text})
    put(store, text, task)
    claim = claimed(store)
    assert store.queue.settle(claim)
    assert put(store, text, task) is Receipt.REPEAT
    assert (claim.task.subject, claim.task.full_name, claim.task.hint["x"]) == (clean(text),) * 3


def test_prune_forgets_only_what_was_processed_long_ago(store: Store, clock: Clock) -> None:
    put(store, "old", a_task(1))
    assert store.queue.settle(claimed(store))
    put(store, "old-but-waiting", a_task(2))
    clock.advance(9 * DAY)
    assert store.inbox.prune() == 0, "GitHub may still deliver it again"
    clock.advance(30 * DAY)
    put(store, "new", a_task(3))
    assert store.queue.settle(claimed(store))
    assert store.inbox.prune() == 2, "one delivery and its row of the queue"
    assert store.inbox.knows(["old", "old-but-waiting", "new"]) == {"old-but-waiting", "new"}
    assert claimed(store).deliveries == ("old-but-waiting",)


def test_prune_of_much_is_done_in_parts(store: Store, clock: Clock) -> None:
    for number in range(2_300):
        if number % 2:
            store.inbox.put(a_delivery(f"guid-{number}"), [])
    clock.advance(30 * DAY)
    assert store.inbox.prune() == 1_150


def test_audit_is_never_pruned(store: Store, clock: Clock) -> None:
    from tests.store.test_audit import an_entry

    store.audit.append(an_entry())
    clock.advance(3_650 * DAY)
    store.inbox.prune(guids_kept_days=0, tasks_kept_days=0)
    assert store.audit.verify().records == 1
