"""The merge queue: every way of merging and of grouping; what is not understood is not let in."""

import json
from typing import Any
from unittest.mock import patch

import pytest

from github_app.gateway import repository as gateway
from github_app.gateway.repository import MergeGroup
from sandbox.actions import merge_commits
from tests.e2e.inline import CHECK, SHOP, Inline
from tests.e2e.test_queue_order import dismiss, enqueue, queued, signed_off, states

METHODS = ["MERGE", "SQUASH", "REBASE"]
STRATEGIES = ["ALLGREEN", "HEADGREEN"]


def with_queue(case: Inline, method: str = "MERGE", strategy: str = "ALLGREEN") -> None:
    parameters = {"merge_method": method, "grouping_strategy": strategy}
    ruleset = {
        "name": "queue",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "merge_queue", "parameters": parameters}],
    }
    case.act("olga", "set_ruleset", ruleset=ruleset)


def incidents(case: Inline) -> list[object]:
    kinds = [record.entry.kind.value for record in case.parts.store.audit.records()]
    return [kind for kind in kinds if kind == "bypassed"]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("method", METHODS)
def test_signed_off_goes_through(case: Inline, method: str, strategy: str) -> None:
    with_queue(case, method, strategy)
    numbers = queued(case, "one", "two", "three")
    case.settle()
    assert states(case, numbers) == ["merged"] * 3
    assert incidents(case) == []


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("method", METHODS)
def test_a_dismissal_while_queued_stops_the_one_and_lets_in_nothing_of_it(
    case: Inline, method: str, strategy: str
) -> None:
    with_queue(case, method, strategy)
    numbers = queued(case, "one", "two", "three")
    dismiss(case, numbers[1])
    case.settle()
    assert states(case, numbers)[:2] == ["merged", "open"]
    files = dict(main_of(case).tree.files())
    mine = dict(case.hub.world.pull(SHOP, numbers[1]).commits[-1].tree.files())
    assert not {path for path in mine if path not in files} <= set(files)
    assert incidents(case) == []


def main_of(case: Inline) -> Any:
    shop = case.hub.world.repository(SHOP)
    return shop.store.commits[shop.branches["main"]]


@pytest.mark.parametrize("method", METHODS)
def test_the_base_moves_under_the_queue(case: Inline, method: str) -> None:
    """The groups are built anew, and judged anew."""
    with_queue(case, method)
    numbers = queued(case, "one", "two")
    case.act("olga", "put_file", path="other.md", content="x\n")
    case.settle()
    assert states(case, numbers) == ["merged"] * 2
    assert main_of(case).tree.get("other.md") is not None
    assert incidents(case) == []


def test_taken_out_and_queued_again(case: Inline) -> None:
    with_queue(case)
    (number,) = queued(case, "one")
    case.act("june", "dequeue", number=number)
    dismiss(case, number)
    case.settle()
    with pytest.raises(Exception, match=CHECK):
        enqueue(case, number)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    enqueue(case, number)
    case.settle()
    assert states(case, [number]) == ["merged"]


def test_one_jumps_the_queue(case: Inline) -> None:
    with_queue(case)
    first, second, third = signed_off(case, "one", "two", "three")
    enqueue(case, first, second)
    case.act("june", "enqueue", number=third, jump=True)
    dismiss(case, second)
    case.settle()
    assert states(case, [first, second, third]) == ["merged", "open", "merged"]


def rename_groups(case: Inline, ref: str) -> None:
    """Groups are told of under another name. ``{oid}``: what the group is built on."""
    real = case.hub.courier.receiver
    assert real is not None

    def renamed(headers: Any, body: bytes) -> int:
        if headers["X-GitHub-Event"] != "merge_group":
            return int(real(headers, body))
        payload = json.loads(body)
        group = payload["merge_group"]
        group["head_ref"] = ref.format(oid=group["base_sha"])
        return case.post("merge_group", payload)

    case.hub.courier.receiver = renamed


def test_a_stack_is_refused_and_says_so(case: Inline) -> None:
    """A pull request into another one's branch: what is below it is not in its verdict."""
    with_queue(case)
    (number,) = signed_off(case, "one")
    upper = case.open("upper", base="one", start="one")
    case.act("grace", "approve", number=upper)
    case.signed(upper, "grace")
    rename_groups(case, f"refs/heads/gh-readonly-queue/main/pr-{upper}-{{oid}}")
    enqueue(case, number)
    entry = case.hub.world.pull(SHOP, number).queue_entry
    assert entry is not None
    real = gateway.merge_queue

    def with_stack(*given: Any, **more: Any) -> tuple[MergeGroup, ...]:
        (found,) = real(*given, **more)
        return (
            MergeGroup(
                number=upper,
                pull_head_oid=case.head(upper),
                head_oid=found.head_oid,
                base_oid=found.base_oid,
                position=found.position,
                state=found.state,
            ),
        )

    with patch.object(gateway, "merge_queue", with_stack):
        case.settle()
    shown = [run for run in case.runs() if run.suite.sha == entry.head_sha]
    assert [run.conclusion for run in shown] == ["failure"]
    assert "stack" in str(shown[0].output)
    assert states(case, [number]) == ["open"]


def test_a_group_with_other_content_is_refused(
    case: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever puts more into a group than its pull requests, such as the rest of a stack."""
    with_queue(case, "SQUASH")
    real = merge_commits.merged_tip

    def with_more(world: Any, pull: Any, *more: Any) -> str:
        store = pull.repository.store
        honest = store.commits[real(world, pull, *more)]
        tree = honest.tree.updated({"more.py": honest.tree.get("README.md")})
        made = store.commit(
            tree, honest.parents, honest.author, honest.committer, honest.message, "web-flow"
        )
        return str(made.sha)

    monkeypatch.setattr("sandbox.actions.refs.merged_tip", with_more)
    (number,) = queued(case, "one")
    case.settle()
    assert states(case, [number]) == ["open"]
    assert any("CS083" in str(run.output) for run in case.runs())


@pytest.mark.parametrize(
    "ref",
    [
        pytest.param("refs/heads/gh-readonly-queue/main/pr-99-{oid}", id="another-number"),
        pytest.param("refs/heads/gh-readonly-queue/main/batch-{oid}", id="another-shape"),
    ],
)
def test_a_group_of_an_unknown_kind_fails_and_says_why(case: Inline, ref: str) -> None:
    with_queue(case)
    (number,) = signed_off(case, "one")
    rename_groups(case, ref)
    enqueue(case, number)
    case.settle()
    known = "pr-" in ref
    assert states(case, [number]) == ["open" if known else "merged"]
    if known:
        assert any("CS065" in str(run.output) for run in case.runs())
