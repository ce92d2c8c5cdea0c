"""The list of what GitHub does not give: counted, paced, and never forgotten by itself."""

import pytest

from github_app.store.database import Store
from github_app.store.undelivered import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    SET_ASIDE,
    Undelivered,
    Wanting,
)
from tests.store.build import Clock


def fail(store: Store, times: int = 1, guid: str = "guid-1") -> int:
    failures = 0
    for number in range(times):
        failures = store.undelivered.failed(guid, 100 + number, "push", "502")
    return failures


def the_one(store: Store) -> Undelivered:
    (one,) = store.undelivered.every().values()
    return one


def test_failures_are_counted_and_the_latest_attempt_kept(store: Store) -> None:
    assert fail(store, 3) == 3
    fail(store, guid="guid-2")
    assert store.undelivered.every()["guid-1"] == Undelivered(
        guid="guid-1", id=102, event="push", failures=3, due=True, lost=False
    )
    assert store.undelivered.counts() == {Wanting.WAITING: 2, Wanting.LOST: 0}


def test_one_that_failed_often_is_set_aside_and_asked_for_more_and_more_rarely(
    store: Store, clock: Clock
) -> None:
    fail(store, SET_ASIDE - 1)
    assert not the_one(store).set_aside
    pause = FIRST_PAUSE
    for _ in range(10):
        fail(store)
        assert the_one(store).set_aside
        clock.advance(pause - 5)
        assert not the_one(store).due
        clock.advance(10)
        assert the_one(store).due
        pause = min(pause * 2, LONGEST_PAUSE)


def test_one_that_came_is_off_the_list(store: Store) -> None:
    fail(store)
    fail(store, guid="guid-2")
    store.undelivered.came(["guid-1", "never heard of"])
    assert list(store.undelivered.every()) == ["guid-2"]


def test_one_that_is_lost_can_be_seen_for_two_weeks(store: Store, clock: Clock) -> None:
    fail(store)
    fail(store, guid="guid-2")
    store.undelivered.lose("guid-1")
    assert store.undelivered.every()["guid-1"].lost
    assert store.undelivered.counts() == {Wanting.WAITING: 1, Wanting.LOST: 1}
    clock.advance(13 * 86_400)
    assert store.undelivered.prune() == 0
    clock.advance(2 * 86_400)
    assert store.undelivered.prune() == 1
    assert list(store.undelivered.every()) == ["guid-2"], "what is not lost stays for ever"


@pytest.mark.parametrize("text", ["a\x00b", "x" * 10_000], ids=["nul", "long"])
def test_any_problem_can_be_written_down(store: Store, text: str) -> None:
    assert store.undelivered.failed("guid-1", 1, "push", text) == 1
