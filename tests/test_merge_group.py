"""Who is to blame in a merge group: the one that was only queued behind another is not."""

from dataclasses import replace

import pytest

from github_app.gateway import repository as gateway
from github_app.gateway.client import Installation
from github_app.gateway.repository import MergeGroup
from github_app.judge.outcome import Outcome, Verdict
from github_app.judge.reasons import Code, Reason
from github_app.merge_group import Group, GroupUnknown, blocking, trace_group
from github_app.store.task import Task, TaskKind
from tests.judge.build import a_pull

GREEN, RED = Outcome.SIGNED_OFF, Outcome.WAITING


def verdict(number: int, outcome: Outcome, *, observing: bool = False) -> Verdict:
    return Verdict(
        outcome=outcome,
        pull=a_pull(number=number),
        reasons=(Reason(code=Code.NOBODY_YET),),
        observing=observing,
    )


@pytest.mark.parametrize(
    ("outcomes", "blamed"),
    [
        pytest.param([GREEN], None, id="alone-and-signed-off"),
        pytest.param([RED], None, id="alone-and-to-blame"),
        pytest.param([GREEN, GREEN], None, id="all-signed-off"),
        pytest.param([GREEN, RED], 2, id="the-one-ahead"),
        pytest.param([RED, GREEN], None, id="itself"),
        pytest.param([RED, RED], None, id="itself-too"),
        pytest.param([GREEN, RED, RED], 3, id="the-first-of-two"),
        pytest.param([GREEN, Outcome.CANNOT_JUDGE], 2, id="one-that-cannot-be-judged"),
        pytest.param([GREEN, Outcome.OBJECTED], 2, id="one-with-an-objection"),
    ],
)
def test_who_is_to_blame(outcomes: list[Outcome], blamed: int | None) -> None:
    found = [verdict(number, outcome) for number, outcome in enumerate(outcomes, start=1)]
    blocked_by = blocking(found)
    assert (None if blocked_by is None else blocked_by.pull.number) == blamed


def test_one_that_is_only_observed_blocks_nobody() -> None:
    assert blocking([verdict(1, GREEN), verdict(2, RED, observing=True)]) is None


def three_queued() -> list[MergeGroup]:
    return [
        MergeGroup(
            number=number,
            pull_head_oid=f"head-{number}",
            head_oid=f"group-{number}",
            base_oid=f"group-{number - 1}",
            position=number,
            state="AWAITING_CHECKS",
        )
        for number in (1, 2, 3)
    ]


SECOND = Task(
    kind=TaskKind.MERGE_GROUP,
    installation_id=1,
    repository_id=77,
    subject="group-2",
    full_name="acme/shop",
    hint={"base_ref": "refs/heads/release/1"},
)


def traced(monkeypatch: pytest.MonkeyPatch, queue: list[MergeGroup]) -> Group:
    monkeypatch.setattr(gateway, "merge_queue", lambda *_, **__: tuple(queue))
    return trace_group(object.__new__(Installation), SECOND)


def test_one_ahead_whose_commit_is_not_shown_is_not_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The group may hold it: green would be said of what nobody judged."""
    first, *others = three_queued()
    with pytest.raises(GroupUnknown):
        traced(monkeypatch, [replace(first, head_oid=None), *others])


def test_one_ahead_that_cannot_be_merged_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = three_queued()
    first = replace(first, head_oid=None, base_oid=None, state="UNMERGEABLE")
    queue = [first, replace(second, base_oid="tip"), third]
    assert [one.number for one in traced(monkeypatch, queue).members] == [2]


def test_one_behind_that_is_not_built_yet_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = three_queued()
    queue = [first, second, replace(third, head_oid=None, base_oid=None)]
    assert traced(monkeypatch, queue).traced


def test_group_knows_who_is_ahead_and_what_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    task, group = SECOND, traced(monkeypatch, three_queued())
    members = [(member.number, member.head_oid, member.group_oid) for member in group.members]
    assert members == [(2, "head-2", "group-2"), (1, "head-1", "group-1")]
    assert (group.behind, group.traced, group.branch) == (("group-3",), True, "release/1")
    asked = group.task(task, "group-3")
    assert (asked.kind, asked.subject) == (TaskKind.MERGE_GROUP, "group-3")
    assert asked.hint == {"base_ref": "release/1"}
