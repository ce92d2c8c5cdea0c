"""In a merge queue the one that is to blame is dropped, and nobody that was only queued behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from sandbox.actions import queue
from tests.e2e.inline import PASSING, SHOP, Inline


def with_queue(case: Inline, strategy: str = "ALLGREEN") -> None:
    rule = {"type": "merge_queue", "parameters": {"grouping_strategy": strategy}}
    ruleset = {
        "name": "queue",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [rule],
    }
    case.act("olga", "set_ruleset", ruleset=ruleset)


def signed_off(case: Inline, *branches: str) -> list[int]:
    numbers = []
    for branch in branches:
        number = case.open(branch)
        case.act("grace", "approve", number=number)
        case.signed(number, "grace")
        numbers.append(number)
    return numbers


def queued(case: Inline, *branches: str) -> list[int]:
    """Pull requests that grace signed off, queued one behind the other; nothing judged since."""
    numbers = signed_off(case, *branches)
    enqueue(case, *numbers)
    return numbers


def enqueue(case: Inline, *numbers: int) -> None:
    for number in numbers:
        case.act("june", "enqueue", number=number)


def dismiss(case: Inline, number: int) -> None:
    case.act("kim", "dismiss_review", number=number, author="grace")


def states(case: Inline, numbers: list[int]) -> list[str]:
    return [str(case.hub.pull(number)["state"]) for number in numbers]


def dropped(case: Inline) -> list[int]:
    """Who was taken out of the queue because checks failed, in order."""
    return [
        pull.number
        for pull in case.hub.world.repository(SHOP).pulls.values()
        for event in pull.timeline
        if event.kind == "RemovedFromMergeQueueEvent" and event.data["reason"] == "failed checks"
    ]


@contextmanager
def undecided() -> Iterator[None]:
    """GitHub takes its time: whatever is reported, it neither merges nor drops anybody."""
    with patch.object(queue, "_advance", lambda *_: None):
        yield


def main_holds(case: Inline, number: int) -> bool:
    shop = case.hub.world.repository(SHOP)
    return shop.store.is_ancestor(case.head(number), shop.branches["main"])


@pytest.mark.parametrize("strategy", ["ALLGREEN", "HEADGREEN"])
def test_only_the_one_to_blame_is_dropped(case: Inline, strategy: str) -> None:
    """The groups of the others are judged first, for the newest request goes first."""
    with_queue(case, strategy)
    numbers = signed_off(case, "one", "two", "three")
    enqueue(case, numbers[0])
    dismiss(case, numbers[0])
    enqueue(case, *numbers[1:])
    case.settle()
    assert dropped(case) == numbers[:1]
    assert states(case, numbers) == ["open", "merged", "merged"]
    assert not main_holds(case, numbers[0])


@pytest.mark.parametrize("strategy", ["ALLGREEN", "HEADGREEN"])
def test_one_in_the_middle_is_to_blame(case: Inline, strategy: str) -> None:
    with_queue(case, strategy)
    numbers = signed_off(case, "one", "two", "three")
    enqueue(case, *numbers[:2])
    dismiss(case, numbers[1])
    enqueue(case, numbers[2])
    case.settle()
    assert dropped(case) == numbers[1:2]
    assert states(case, numbers) == ["merged", "open", "merged"]
    assert not main_holds(case, numbers[1])


def test_two_are_to_blame(case: Inline) -> None:
    with_queue(case)
    numbers = queued(case, "one", "two", "three")
    dismiss(case, numbers[0])
    dismiss(case, numbers[1])
    case.settle()
    assert states(case, numbers) == ["open", "open", "merged"]


def test_green_behind_the_one_to_blame_is_taken_down(case: Inline) -> None:
    """A queue that wants only its last group green would merge all of them by that green."""
    with_queue(case, "HEADGREEN")
    with undecided():
        first, second = numbers = queued(case, "one", "two")
        case.settle()
        assert all((seen := case.group(number)) and seen.green for number in numbers)
        dismiss(case, first)
        case.hub.drain()
        while (seen := case.group(second)) and seen.green:
            assert case.worker.step(), "the green stays"
        assert seen is not None
        assert seen.conclusion is None, "it is held, not failed"
        assert f"#{first}" in seen.title
    case.settle()


def test_held_for_ever_it_fails_and_says_why(case: Inline) -> None:
    with_queue(case, "HEADGREEN")
    with undecided():
        first, second = queued(case, "one", "two")
        dismiss(case, first)
        case.settle()
        seen = case.group(second)
        assert seen is not None
        assert seen.conclusion not in PASSING
        assert seen.conclusion == "failure"
        assert "CS081" in seen.codes
        assert f"#{first}" in seen.title
        own = case.group(first)
        assert own is not None
        assert "CS041" in own.codes, "the one to blame is told its own reason"


def test_all_are_merged_where_nobody_is_to_blame(case: Inline) -> None:
    with_queue(case)
    numbers = queued(case, "one", "two", "three")
    case.settle()
    assert states(case, numbers) == ["merged"] * 3
    assert dropped(case) == []
