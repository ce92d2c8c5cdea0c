"""The list of what GitHub does not give: counted, paced, and never forgotten by itself."""

import pytest

from github_app.store.database import Store
from github_app.store.undelivered import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    SET_ASIDE,
    Failures,
    Undelivered,
    Wanting,
)
from tests.store.build import Clock


def fail(store: Store, times: int = 1, guid: str = "guid-1") -> int:
    failures = 0
    for number in range(times):
        failures = store.undelivered.failed(guid, 100 + number, "push", "502").every
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
    assert store.undelivered.failed("guid-1", 1, "push", text) == Failures(every=1, gone=0)


@pytest.mark.parametrize(
    ("answers", "in_a_row"),
    [
        pytest.param([404, 404, 404], 3, id="only"),
        pytest.param([502, 502, 404], 1, id="last"),
        pytest.param([404, 404, 502], 0, id="not-last"),
        pytest.param([404, 502, 404, 404], 2, id="anew"),
    ],
)
def test_how_often_it_was_gone_is_counted_in_a_row(
    store: Store, answers: list[int], in_a_row: int
) -> None:
    for status in answers:
        found = store.undelivered.failed("guid-1", 7, "push", "no", gone=status == 404)
    assert found == Failures(every=len(answers), gone=in_a_row)


def test_later_attempt_is_another_chance(store: Store, clock: Clock) -> None:
    for _ in range(SET_ASIDE + 6):
        store.undelivered.failed("guid-1", 7, "push", "404", gone=True)
    store.undelivered.lose("guid-1")
    found = store.undelivered.failed("guid-1", 8, "push", "404", gone=True)
    assert found == Failures(every=SET_ASIDE, gone=1)
    assert not the_one(store).lost
    clock.advance(FIRST_PAUSE + 5)
    assert the_one(store) == Undelivered(
        guid="guid-1", id=8, event="push", failures=SET_ASIDE, due=True, lost=False
    )


def test_earlier_attempt_is_none(store: Store) -> None:
    """The list may show the attempts of one delivery in any order."""
    store.undelivered.failed("guid-1", 8, "push", "404", gone=True)
    store.undelivered.lose("guid-1")
    assert store.undelivered.failed("guid-1", 7, "push", "404", gone=True).gone == 2
    assert the_one(store).id == 8
    assert the_one(store).lost
